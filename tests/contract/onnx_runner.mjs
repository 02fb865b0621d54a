// Run the models of a folder in onnxruntime-web, and write down what came out.
//
//     node onnx_runner.mjs PACKAGES FOLDER
//
// PACKAGES holds node_modules with onnxruntime-web. FOLDER is that of onnx_runner.py, and so are
// the results; in place of optimised models they hold the operators that ran, "ran.MODEL.LEVEL".

import { createHash } from "node:crypto";
import fs, { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// onnxruntime-web prints profiles: to file 1 under node, or through what console.log is when the
// package is loaded.
const lines = [];
const { writeSync } = fs;
fs.writeSync = (file, ...rest) => file === 1 ? lines.push(String(rest[0])) : writeSync(file, ...rest);
console.log = (...texts) => lines.push(texts.join(" "));

const [packages, folder] = process.argv.slice(2).map((name) => resolve(name));
const { resolve: find } = createRequire(join(packages, "package.json"));
const ort = await import(pathToFileURL(find("onnxruntime-web")));
const { loadSession } = await import(pathToFileURL(join(folder, "loader.mjs")));
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const digest = (data) => createHash("sha256").update(data).digest("hex");
const bytesOf = ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Read the float32 array of a .npy file. */
function readInput(path) {
  const file = readFileSync(path);
  const start = 10 + file.readUInt16LE(8);
  const shape = /'shape': \(([^)]*)\)/.exec(file.toString("latin1", 10, start))[1];
  const dims = shape.split(",").filter((text) => text.trim()).map(Number);
  return new ort.Tensor("float32", new Float32Array(new Uint8Array(file.subarray(start)).buffer), dims);
}

/** Run a session once and return outputs with their names. */
async function runOnce(session, images) {
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, images]));
  const outputs = await session.run(feeds);
  return session.outputNames.map((name) => [name, outputs[name]]);
}

/** Run a model and return its outputs and the operators that ran, which the profile says. */
async function runProfiled(path, level, images) {
  const session = await ort.InferenceSession.create(readFileSync(path), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: level,
    enableProfiling: true,
  });
  const outputs = await runOnce(session, images);
  session.endProfiling();
  await session.release();
  const ran = lines.splice(0).filter((line) => line.includes("_kernel_time"));
  return [outputs, ran.map((line) => /"op_name" : "(\w+)"/.exec(line)[1]).sort()];
}

async function runCase(path) {
  const at = (name) => join(path, name);
  const images = existsSync(at("input.npy")) ? readInput(at("input.npy")) : undefined;
  const results = {};
  for (const name of ["dense", "compact"]) {
    for (const level of existsSync(at(`${name}.onnx`)) ? ["basic", "extended", "all"] : []) {
      const [[[, output]], ran] = await runProfiled(at(`${name}.onnx`), level, images);
      results[`${name}.${level}`] = digest(bytesOf(output));
      results[`ran.${name}.${level}`] = ran;
      const [rows, columns] = output.dims;
      results[name] = Array.from({ length: rows }, (_, i) =>
        Array.from(output.data.slice(i * columns, (i + 1) * columns)));
    }
  }
  for (const [name, level] of [["shown", "disabled"], ["shown", "all"], ["generator", "disabled"]]) {
    if (!existsSync(at(`${name}.onnx`))) continue;
    const [outputs] = await runProfiled(at(`${name}.onnx`), level, images);
    results[`weights.${name}.${level}`] = Object.fromEntries(
      outputs.map(([key, value]) => [key, digest(bytesOf(value))]));
  }
  if (existsSync(at("skeleton.onnx"))) {
    const files = ["generator.onnx", "skeleton.onnx"].map((name) => readFileSync(at(name)));
    try {
      const session = await loadSession(ort, ...files, { executionProviders: ["wasm"] });
      const [[, output]] = await runOnce(session, images);
      results["pair.all"] = digest(bytesOf(output));
      await session.release();
    } catch (error) {
      results["pair.error"] = String(error.message ?? error);
    }
  }
  return results;
}

const found = { version: ort.env.versions.web ?? "unknown", cases: {} };
for (const entry of readdirSync(folder, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  try {
    found.cases[entry.name] = await runCase(join(folder, entry.name));
  } catch (error) {
    found.cases[entry.name] = { error: String(error.message ?? error) }; // a refusal is a result
  }
}
writeFileSync(join(folder, "results.json"), JSON.stringify(found));
