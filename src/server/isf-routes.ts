/** The ISF's routes (digest 3.6): drawn by weight for each invitation, the others behind for when one fails. */
import type { IsfPort } from '../engine/ports.ts';
import { orderSrv } from '../sip/locate/locate.ts';
import type { Config } from './config/schema.ts';

/** RFC 2782 draws from 0 to the sum, both included, which favours the first one where weights are small. */
const FINE = 1000;

export function isfRoutes(routes: Config['isf']['routes'], random: () => number): IsfPort {
  const weighted = routes.map((route) => (typeof route === 'string' ? { uri: route, weight: 1 } : route));
  if (weighted.length < 2) {
    const only = weighted.map(({ uri }) => [`<${uri}>`]);
    return { routeSets: () => only };
  }
  const records = weighted.map(({ uri, weight }) => ({ priority: 0, weight: weight * FINE, host: uri, port: 0 }));
  return { routeSets: () => orderSrv(records, random).map(({ host }) => [`<${host}>`]) };
}
