// devtools.mjs FILE SIZES [EARLIER DIFF]: opens .heapsnapshots as the Memory panel of Chrome's DevTools does, with its own loader: in
// pieces, with the dominator tree in what is its second thread there. Prints how many nodes and edges there are, what the root
// retains, milliseconds and MiB; writes each node's retained size to SIZES, a line each, in the file's order. With EARLIER, writes
// what Comparison shows between it and FILE to DIFF: name, new, gone, bytes new, bytes gone. Run where the packages are.
import {createRequire} from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

const require = createRequire(path.resolve('package.json'));
const worker = path.join(path.dirname(require.resolve('chrome-devtools-frontend/package.json')),
    'front_end/entrypoints/heap_snapshot_worker/heap_snapshot_worker.ts');

// DevTools comes as TypeScript in many files: made one module, once. What its languages are is made by a build of it; nothing here
// is translated.
const locales = {name: 'locales', setup(build) {
  build.onResolve({filter: /\/locales\.js$/}, () => ({path: 'locales', namespace: 'made'}));
  build.onLoad({filter: /.*/, namespace: 'made'}, () => ({contents: `export const LOCALES = ['en-US'], BUNDLED_LOCALES = LOCALES,
      DEFAULT_LOCALE = 'en-US', REMOTE_FETCH_PATTERN = '', LOCAL_FETCH_PATTERN = '';`}));
}};
async function bundled() {
  const out = path.resolve('devtools_heap.mjs');
  if (!fs.existsSync(out)) {
    await require('esbuild').build({entryPoints: [worker], outfile: out, bundle: true, format: 'esm', platform: 'node',
      target: 'node20', logLevel: 'error', plugins: [locales], banner: {js: 'globalThis.self ??= globalThis;'}});
  }
  return import(pathToFileURL(out));
}

if (!Promise.withResolvers) { // node before 22
  Promise.withResolvers = () => {
    let resolve, reject;
    const promise = new Promise((a, b) => { resolve = a; reject = b; });
    return {promise, resolve, reject};
  };
}

async function open(devtools, file) {
  const loader = new devtools.HeapSnapshotLoader.HeapSnapshotLoader({sendEvent() {}});
  for await (const chunk of fs.createReadStream(file, {encoding: 'utf8', highWaterMark: 1 << 22})) loader.write(chunk);
  loader.close();
  const channel = new MessageChannel();
  new devtools.HeapSnapshot.SecondaryInitManager(channel.port2);
  const snapshot = await loader.buildSnapshot(channel.port1);
  channel.port1.close();
  return snapshot;
}

const [file, sizes, earlier, diff] = process.argv.slice(2);
const devtools = await bundled();
const started = Date.now();
const snapshot = await open(devtools, file);
const took = Date.now() - started;
const lines = [];
let edges = 0;
for (let nodes = snapshot.allNodes(); nodes.hasNext(); nodes.next()) {
  lines.push(nodes.item().retainedSize());
  edges += nodes.item().edgesCount();
}
fs.writeFileSync(sizes, lines.join('\n') + '\n');
if (earlier) {
  const base = await open(devtools, earlier);
  const found = snapshot.calculateSnapshotDiff('base', base.aggregatesForDiff(snapshot.interfaceDefinitions()));
  fs.writeFileSync(diff, JSON.stringify(Object.values(found).map(
      d => [d.name, d.addedCount, d.removedCount, d.addedSize, d.removedSize])));
}
console.log(`\nread ${lines.length} ${edges} ${snapshot.rootNode().retainedSize()} ${took} ${
    Math.round(process.memoryUsage().rss / 1048576)}`);
