/** Loaded before the server, makes it leak: each session that has ended is kept, and a file is opened for it. */
import { openSync } from 'node:fs';
import { EndedSessions } from '../../../dist/src/server/admin/ended.js';

const kept = [];
const note = EndedSessions.prototype.note;
EndedSessions.prototype.note = function (session) {
  kept.push(session, openSync('/dev/null'));
  note.call(this, session);
};
