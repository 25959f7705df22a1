/** A registered client out of the feature parameters of its Contact (RFC 3840, TS 24.229 7.9.2; A-39). */
import type { RegisteredClient } from '../../machines/session/policy.ts';
import { paramOf } from '../sip/message/params.ts';

export const CPM = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.';

/** What a client can do of which nothing is known: the core sent it here, so it is a CPM client. */
export const UNKNOWN_CLIENT: RegisteredClient = {
  instance: '',
  services: ['session', 'session.group', 'msg', 'largemsg', 'filetransfer'],
  media: ['message', 'audio', 'video'],
};

/** `params`: header parameters as text, `;+sip.instance="…";audio`. */
export function clientOf(params: string): RegisteredClient {
  const services = servicesOf(params);
  return { instance: paramOf(params, '+sip.instance') ?? '', services, media: mediaOf(params, services) };
}

/** CPM services among the ICSI values of a Contact. */
function servicesOf(params: string): string[] {
  const tag = paramOf(params, '+g.3gpp.icsi-ref') ?? paramOf(params, 'g.3gpp.icsi-ref') ?? '';
  return tag
    .split(',')
    .map((value) => value.replace(/%3A/gi, ':').replace(/[<>\s]/g, ''))
    .flatMap((value) => (value.startsWith(CPM) ? [value.slice(CPM.length)] : []));
}

/** RFC 3840 media feature tags; a CPM session client takes messages whether it says so or not. */
function mediaOf(params: string, services: readonly string[]): string[] {
  const media = ['audio', 'video', 'application'].filter((name) => paramOf(params, name) !== undefined);
  const chats = services.some((service) => service.startsWith('session')) || paramOf(params, 'message') !== undefined;
  return chats ? ['message', ...media] : media;
}
