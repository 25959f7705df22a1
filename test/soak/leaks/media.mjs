/** Loaded before the server, makes its media plane release nothing. */
import { MsrpRelay } from '../../../dist/src/msrp/relay/relay.js';

MsrpRelay.prototype.release = () => {};
MsrpRelay.prototype.end = () => {};
