/** A whole capture, given piece by piece. */
import { Dissector, type Hearing } from './dissector.ts';
import { CaptureFile } from './file/capture-file.ts';

/** What was said in it. Throws {@link CaptureError}, and nothing else whatever the bytes are. */
export function hearingOf(pieces: Iterable<Uint8Array>): Hearing {
  const file = new CaptureFile();
  const dissector = new Dissector();
  for (const piece of pieces) for (const packet of file.push(piece)) dissector.take(packet);
  const cut = file.end();
  const hearing = dissector.end();
  return cut ? { ...hearing, notes: [...hearing.notes, 'the file ends in the middle of a packet'] } : hearing;
}
