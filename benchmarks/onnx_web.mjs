// What onnxruntime-web makes of a model under node; the counterpart of onnx_models.py.
//
//     node onnx_web.mjs PACKAGES LOADER create MODEL          seconds, MiB, checksum
//     node onnx_web.mjs PACKAGES LOADER latency MODEL DENSE   ms of both, median ratio
//     node onnx_web.mjs PACKAGES LOADER predict MODEL IMAGES  classes of float32 images
//
// PACKAGES holds node_modules with onnxruntime-web, LOADER is loader.mjs of freezepack. MODEL is a
// file, or generator and skeleton with "+" between. IMAGES is the shape, "+" and a file.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";

const BATCH = 500;
const TURNS = 40;
const [packages, loader, action, model, other] = process.argv.slice(2);
const find = createRequire(join(resolve(packages), "package.json")).resolve;
const ort = await import(pathToFileURL(find("onnxruntime-web")));
const { loadSession } = await import(pathToFileURL(resolve(loader)));
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** Create a session of one model, or of generator and skeleton. */
async function open(names) {
  const files = names.split("+").map((name) => readFileSync(name));
  const options = { executionProviders: ["wasm"] };
  return files.length === 1
    ? ort.InferenceSession.create(files[0], options)
    : loadSession(ort, ...files, options);
}

/** Return the first output for images of a shape without its batch. */
async function run(session, data, shape) {
  const images = new ort.Tensor("float32", data, [data.length / shape.reduce((a, b) => a * b), ...shape]);
  const outputs = await session.run({ [session.inputNames[0]]: images });
  return outputs[session.outputNames[0]];
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function create() {
  const warm = readFileSync(other.split("+")[1]); // wasm itself is started by a model of one node
  await ort.InferenceSession.create(warm, { executionProviders: ["wasm"] });
  const before = process.memoryUsage().rss;
  const start = performance.now();
  await open(model);
  const seconds = (performance.now() - start) / 1000;
  // not resourceUsage(): its maximum is inherited from the process that started this one
  const most = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
  return { seconds, mib: most / 1024 - before / 2 ** 20 };
}

async function latency() {
  const shape = JSON.parse(process.env.SHAPE);
  const image = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
  const sessions = [await open(model), await open(other)];
  const times = [[], []];
  let loops = 1;
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const which of turn % 2 ? [0, 1] : [1, 0]) {
      await run(sessions[which], image, shape);
      const start = performance.now();
      for (let i = 0; i < loops; i += 1) await run(sessions[which], image, shape);
      times[which].push((performance.now() - start) / loops);
    }
    loops = Math.max(1, Math.floor(20 / times[0].at(-1)));
  }
  const ratios = times[0].map((time, i) => time / times[1][i]).slice(1);
  return { ms: Math.min(...times[0]), dense: Math.min(...times[1]), ratio: median(ratios) };
}

async function predict() {
  const [text, path] = other.split("+");
  const shape = JSON.parse(text);
  const whole = readFileSync(path);
  const images = new Float32Array(whole.buffer, whole.byteOffset, whole.byteLength / 4);
  const step = BATCH * shape.reduce((a, b) => a * b);
  const session = await open(model);
  const classes = [];
  for (let start = 0; start < images.length; start += step) {
    const { data, dims } = await run(session, images.slice(start, start + step), shape);
    for (let row = 0; row < dims[0]; row += 1) {
      const scores = data.slice(row * dims[1], (row + 1) * dims[1]);
      classes.push(scores.indexOf(Math.max(...scores)));
    }
  }
  return { classes };
}

const result = await { create, latency, predict }[action]();
console.log(JSON.stringify({ version: ort.env.versions.web, node: process.version, ...result }));
