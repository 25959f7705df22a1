/** Documents of a conference's focus (RFC 4575). */

export type State = 'full' | 'partial' | 'deleted';

/** `users`: what stands inside `<users>`. */
export function conferenceInfo(version: number, state: State, users: string, list: State = 'full'): string {
  return `<?xml version="1.0" encoding="UTF-8"?><ci:conference-info xmlns:ci="urn:ietf:params:xml:ns:conference-info" entity="sip:chat@focus.example" state="${state}" version="${version}"><ci:users state="${list}">${users}</ci:users></ci:conference-info>`;
}

export function user(entity: string, name: string, endpoints = '', state: State = 'full'): string {
  const text = name === '' ? '' : `<ci:display-text>${name}</ci:display-text>`;
  return `<ci:user entity="${entity}" state="${state}">${text}${endpoints}</ci:user>`;
}

export function endpoint(entity: string, status = 'connected', state: State = 'full'): string {
  return `<ci:endpoint entity="${entity}" state="${state}"><ci:status>${status}</ci:status></ci:endpoint>`;
}
