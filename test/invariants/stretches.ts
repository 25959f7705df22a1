/** Works through stretches in a thread of its own, one message for each. */
import { parentPort } from 'node:worker_threads';
import { playStretch, type Stretch } from './drawing.ts';

parentPort?.on('message', (stretch: Stretch) => {
  parentPort?.postMessage(playStretch(stretch) ?? null);
});
