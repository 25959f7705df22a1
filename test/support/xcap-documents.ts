/** Documents as clients write them into an XCAP server. */

export const BOB = 'sip:bob@home.example';
/** Addresses below the XCAP root. */
export const BOBS_LISTS = `resource-lists/users/${BOB}/index`;

/** `lists`: what stands inside `<resource-lists>`. */
export function resourceLists(lists: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">${lists}</resource-lists>`;
}

/** One rule; `conditions` and `actions` are what stands inside the elements of those names. */
export function rule(conditions: string, actions: string, id = 'r1'): string {
  return `<cr:rule id="${id}"><cr:conditions>${conditions}</cr:conditions><cr:actions>${actions}</cr:actions></cr:rule>`;
}

export function ruleset(...rules: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<cr:ruleset xmlns="urn:oma:xml:xdm:extensions" xmlns:cr="urn:ietf:params:xml:ns:common-policy">${rules.join('')}</cr:ruleset>`;
}

export const FOR_CPM = '<service-list><service enabler="CPM"/></service-list>';
export const STORES = '<allow-offline-storage>true</allow-offline-storage>';
export const NO_DISTURBANCE = '<allow-do-not-disturb>true</allow-do-not-disturb>';
