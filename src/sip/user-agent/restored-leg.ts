/** A leg of a process that is gone: its INVITE is history, its dialog lives on. */
import { Leg } from './leg.ts';

/** Both directions are the same once the dialog is confirmed; `state` says which side invited. */
export class RestoredLeg extends Leg {}
