// One session from the two models of a large network, for onnxruntime-web or onnxruntime-node.
//
//     import * as ort from "onnxruntime-web";
//     import { loadSession } from "./loader.mjs";
//     const session = await loadSession(ort, generatorBytes, skeletonBytes);
//
// Needs onnxruntime-web 1.20 or newer: older ones know no external data.
//
// The generator makes the weights and is run once, without optimisation, so that what lies between
// seed and weights is freed on the way. The skeleton takes them as the content of an external file.

/** Name of the file in which skeletons say their weights are; there is no such file. */
export const LOCATION = "weights";

/**
 * Run the generator once and return a session of the skeleton with its outputs.
 *
 * @param {object} ort  the module onnxruntime-web
 * @param {Uint8Array} generator  first of the two models
 * @param {Uint8Array} skeleton  second of the two models
 * @param {object} [options]  session options of the skeleton
 * @returns {Promise<object>}  an InferenceSession; runs like that of the dense model
 */
export async function loadSession(ort, generator, skeleton, options = {}) {
  const externalData = [
    ...(options.externalData ?? []),
    { path: LOCATION, data: await makeWeights(ort, generator) },
  ];
  return ort.InferenceSession.create(skeleton, { ...options, externalData });
}

/**
 * Run the generator and return its outputs, one behind the other: what the external file would hold.
 *
 * @param {object} ort  the module onnxruntime-web
 * @param {Uint8Array} generator
 * @returns {Promise<Uint8Array>}
 */
export async function makeWeights(ort, generator) {
  const session = await ort.InferenceSession.create(generator, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "disabled",
    enableCpuMemArena: false,
  });
  try {
    const outputs = await session.run({});
    // outputs in the order of the model, which is the order of the offsets in the skeleton
    const parts = session.outputNames.map((name) => bytesOf(outputs[name]));
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    return whole;
  } finally {
    await session.release();
  }
}

function bytesOf({ data }) {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
