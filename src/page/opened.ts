/** The file that is open in this window. It is kept here alone: nothing of it goes to the server. */
import { createContext } from 'preact';
import { MAX_FILE_BYTES, readSessionFile, type SessionFile } from '../trace/session-file.ts';

export interface Opened {
  readonly name: string;
  readonly file: SessionFile;
}

export interface OpenedFile {
  readonly opened: Opened | undefined;
  /** Opens a file, and shows it. Rejects with what is wrong with it. */
  open(file: File): Promise<void>;
}

export const OpenedContext = createContext<OpenedFile>({ opened: undefined, open: async () => {} });

/** Rejects with a SessionFileError where it is none that can be read here. */
export async function readFile(file: File): Promise<Opened> {
  if (file.size > MAX_FILE_BYTES) throw new Error(`${file.name}: larger than any session file`);
  try {
    if (await isCapture(file))
      throw new Error('a capture: cpm-engine ladder FILE --export OUT makes a session file of it');
    return { name: file.name, file: readSessionFile(await file.text()) };
  } catch (error) {
    throw new Error(`${file.name}: ${(error as Error).message}`);
  }
}

const CAPTURES = [0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a];

async function isCapture(file: File): Promise<boolean> {
  const start = await file.slice(0, 4).arrayBuffer();
  return start.byteLength === 4 && CAPTURES.includes(new DataView(start).getUint32(0));
}
