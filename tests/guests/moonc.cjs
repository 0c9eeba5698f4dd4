// `moonc.cjs SOURCE OUTPUT EXPORT..` compiles one MoonBit file to Wasm GC in the text format. The
// compiler is published as a web worker; here its exports are taken directly.
const fs = require('fs'), path = require('path');
const worker = fs.readFileSync(require.resolve('@moonbit/moonc-worker/moonc-worker.js'), 'utf8');
const exposed = worker.replace(/;([A-Za-z0-9_$]+)\(([A-Za-z0-9_$]+)\);(\s*\/\*\*[\s\S]*?\*\/\s*)$/, ';module.exports=$2;');
if (exposed === worker) throw new Error('unexpected shape of the compiler');
const m = { exports: {} };
new Function('module', 'exports', 'require', 'self', exposed)(m, m.exports, require, globalThis);
const moonc = m.exports;
const [source, output, ...exported] = process.argv.slice(2);
const name = path.basename(source);
const common = { pkg: 'guest', pkgSources: ['guest:.'], target: 'wasm-gc' };
const built = moonc.buildPackage({ ...common, mbtFiles: [[name, fs.readFileSync(source, 'utf8')]], miFiles: [], indirectImportMiFiles: [], stdMiFiles: [], isMain: false, errorFormat: 'human', enableValueTracing: false, noOpt: false });
for (const text of built.diagnostics) console.error(text);
if (!built.core) process.exit(1);
const linked = moonc.linkCore({ ...common, coreFiles: [built.core], main: 'guest', exportedFunctions: exported, outputFormat: 'wat', testMode: false, debug: false, noOpt: false, sourceMap: false, sources: {}, stopOnMain: false });
fs.writeFileSync(output, linked.result);
