/** Links between XCAP documents: the address of a document, and the way to an element inside it (RFC 4825 6). */

export interface Link {
  /** Address of the document. */
  readonly document: string;
  /** Steps below the root element; none means the document as a whole. */
  readonly steps: readonly Step[];
}

/** One step of a node selector: an element by name, by an attribute, by its place among those of its name. */
export interface Step {
  readonly name: string;
  readonly attribute: { readonly name: string; readonly value: string } | null;
  /** From 1. */
  readonly position: number | null;
}

const NODE_SELECTOR = '/~~/';
const MAX_STEPS = 32;
const STEP = /^(?:[\w.-]+:)?([\w.-]+|\*)(?:\[(\d{1,6})\])?(?:\[@(?:[\w.-]+:)?([\w.-]+)=("[^"]*"|'[^']*')\])?(?:\/|$)/;

/**
 * A link as it stands in a document, absolute or below the root. Undefined where it can not be followed: it leads to
 * another server or out of the root, where our name and password have no business, or is no link at all.
 */
export function linkOf(anchor: string, root: string): Link | undefined {
  const base = new URL(root.endsWith('/') ? root : `${root}/`);
  const [path = '', selector] = splitAt(anchor);
  let url: URL;
  try {
    url = new URL(path, base);
  } catch {
    return undefined;
  }
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname) || url.username !== '') return undefined;
  const steps = selector === undefined ? [] : stepsOf(selector);
  // RFC 4825 7: a query only binds prefixes of namespaces, which are not looked at.
  return steps === undefined ? undefined : { document: `${url.origin}${url.pathname}`, steps };
}

function splitAt(anchor: string): [document: string, selector: string | undefined] {
  const at = anchor.indexOf(NODE_SELECTOR);
  return at < 0 ? [anchor, undefined] : [anchor.slice(0, at), anchor.slice(at + NODE_SELECTOR.length)];
}

/** The steps behind the root element's own, which says nothing. */
function stepsOf(selector: string): Step[] | undefined {
  let rest: string;
  try {
    rest = decodeURIComponent(selector.replace(/\?.*$/, ''));
  } catch {
    return undefined;
  }
  const steps: Step[] = [];
  while (rest !== '') {
    const [whole, name, position, attribute, quoted] = STEP.exec(rest) ?? [];
    if (whole === undefined || name === undefined || steps.length >= MAX_STEPS) return undefined;
    rest = rest.slice(whole.length);
    steps.push({
      name,
      position: position === undefined ? null : Number(position),
      attribute:
        attribute === undefined || quoted === undefined ? null : { name: attribute, value: quoted.slice(1, -1) },
    });
  }
  return steps.slice(1);
}
