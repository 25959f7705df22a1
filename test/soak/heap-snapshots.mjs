/**
 * Loaded before a program, makes SIGUSR2 write a snapshot of its heap, all garbage collected, into the folder that the
 * query of this module's URL names: `heap-snapshots.mjs?into=/tmp/x` writes `/tmp/x/heap.heapsnapshot`.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';

const written = join(new URL(import.meta.url).searchParams.get('into'), 'heap.heapsnapshot');

process.on('SIGUSR2', () => {
  // It has its name once it is whole.
  renameSync(writeHeapSnapshot(`${written}.part`), written);
});
