// memlab.js FILE [OUT]: opens a .heapsnapshot with memlab, which finds distances, dominators and retained sizes. Prints
// the number of nodes, milliseconds and MiB, and writes each node's retained size to OUT, a line each, in the file's
// order. Run where memlab is installed.
const fs = require('fs');
const path = require('path');
const {getFullHeapFromFile} = require(require.resolve('@memlab/heap-analysis', {paths: [process.cwd()]}));

async function main() {
  const started = Date.now();
  const heap = await getFullHeapFromFile(path.resolve(process.argv[2]));
  const took = Date.now() - started;
  const sizes = [];
  heap.nodes.forEach(node => { sizes.push(node.retainedSize); });
  if (process.argv[3]) fs.writeFileSync(process.argv[3], sizes.join('\n') + '\n');
  console.log(`\nread ${sizes.length} ${took} ${Math.round(process.memoryUsage().rss / 1048576)}`);
}
main().catch(error => { console.error(error); process.exit(1); });
