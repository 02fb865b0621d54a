// Compile freezepack.ksy to the Python reader that the tests use. Once, anywhere:
//   npm install kaitai-struct-compiler@0.11.0 js-yaml
// then, with NODE_PATH set to that node_modules folder:
//   node formats/compile_kaitai.js
const { createHash } = require("crypto");
const fs = require("fs");
const path = require("path");
const compiler = require("kaitai-struct-compiler");
const yaml = require("js-yaml");

const source = path.join(__dirname, "freezepack.ksy");
const target = path.join(__dirname, "..", "tests", "conformance", "kaitai_reader");
const text = fs.readFileSync(source);

compiler
  .compile("python", yaml.load(text.toString("utf8")), null, false)
  .then((files) => {
    fs.writeFileSync(path.join(target, "freezepack_ksy.py"), files["freezepack.py"]);
    const hash = createHash("sha256").update(text).digest("hex");
    fs.writeFileSync(path.join(target, "SOURCE.sha256"), `${hash}  formats/freezepack.ksy\n`);
  })
  .catch((error) => {
    console.error(String(error));
    process.exit(1);
  });
