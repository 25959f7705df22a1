/** Loaded before a program, makes SIGUSR2 collect all its garbage: what its heap holds then is what lives. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => collect());
