/** Stored objects as MIME, and the page of a conversation: every byte kept, and nothing on it that runs. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { groupStateObject } from '../../src/history/objects/group-state.ts';
import { cpimOf, partOf, typeOf } from '../../src/history/objects/parts.ts';
import { sessionInfoObject } from '../../src/history/objects/session-info.ts';
import { type StoredHeaders, storedMessage } from '../../src/history/objects/stored-message.ts';
import { conversationPage } from '../../src/history/page/page.ts';

const HEADERS: StoredHeaders = {
  from: '<sip:alice@home.example>',
  to: '"Bob" <sip:bob@home.example>',
  date: 1_700_000_000_000,
  direction: 'out',
  conversationId: 'v1',
  contributionId: 'c1',
  inReplyToContributionId: null,
  service: 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session',
  messageId: 'one@cpm',
  subject: null,
};
const FOLDER = { user: 'sip:alice@home.example', conversationId: 'v1', contributionId: 'c1' };

function cpim(content: string, type = 'text/plain;charset=UTF-8', from = 'Alice <sip:alice@home.example>'): string {
  const head = `From: ${from}\r\nTo: <sip:bob@home.example>\r\nDateTime: 2026-01-02T03:04:05Z\r\n`;
  return `${head}\r\nContent-Type: ${type}\r\n\r\n${content}`;
}

const chatMessage = (headers: StoredHeaders, body: string): string => storedMessage(headers, 'message/cpim', body);

/** UTF-8, one character a byte. */
const wire = (text: string): string => Buffer.from(text).toString('latin1');

const page = (...objects: string[]): string =>
  conversationPage(
    FOLDER,
    objects.map((content, at) => ({ uid: at + 1, content })),
  );

describe('a stored message', () => {
  it('has a CPIM message inside, read with its own headers and its content (RFC 3862)', () => {
    const part = partOf(chatMessage(HEADERS, cpim('Hello\r\n\r\nyou')));
    expect(typeOf(part)).toBe('message/cpim');
    const { headers, type, content } = cpimOf(part.body);
    expect({ from: headers.get('from'), type, content }).toEqual({
      from: 'Alice <sip:alice@home.example>',
      type: 'text/plain',
      content: 'Hello\r\n\r\nyou',
    });
  });
});

describe('the page of a conversation', () => {
  it('shows how the session began, what was said by whom, who was in it at the end', () => {
    const html = page(
      sessionInfoObject({
        ...HEADERS,
        subject: 'Lunch?',
        group: false,
        sdp: 'v=0\r\n',
        invitedParticipants: ['sip:bob@home.example'],
      }),
      chatMessage(HEADERS, cpim(wire('Grüße'))),
      chatMessage(
        { ...HEADERS, direction: 'in' },
        cpim('<imdn><status><displayed/></status></imdn>', 'message/imdn+xml'),
      ),
      chatMessage(HEADERS, cpim('\x89PNG\r\n\x1a\n', 'image/png')),
      groupStateObject({
        ...HEADERS,
        group: false,
        lastFocusSessionId: 'x',
        participants: [{ name: 'A "B"', address: 'sip:a@home.example' }],
      }),
    );
    expect(html).toMatch(/<article class="session" id="uid-1">[\s\S]*<dd><bdi>Lunch\?<\/bdi><\/dd>/);
    expect(html).toMatch(/<article class="chat out" id="uid-2">[\s\S]*<pre dir="auto">Grüße<\/pre>/);
    expect(html).toMatch(
      /<article class="notification" id="uid-3">\n<p><bdi>Alice &#60;sip:alice@home.example&#62;<\/bdi>: <bdi>displayed/,
    );
    expect(html).toMatch(/id="uid-4">[\s\S]*<p class="file"><bdi>image\/png<\/bdi>, 8 bytes<\/p>/);
    expect(html).toMatch(/id="uid-5">[\s\S]*<li><bdi>A &#34;B&#34; sip:a@home\.example<\/bdi><\/li>/);
  });

  const HOSTILE = '</pre><script>alert(1)</script><img src=x onerror=alert(1)>"\'&';

  it('has nothing of its own that runs or loads, and lets nothing in that was received', () => {
    const html = conversationPage({ user: HOSTILE, conversationId: HOSTILE, contributionId: HOSTILE }, [
      {
        uid: 1,
        content: chatMessage({ ...HEADERS, from: HOSTILE, subject: HOSTILE }, cpim(HOSTILE, 'text/plain', HOSTILE)),
      },
      { uid: 2, content: storedMessage(HEADERS, HOSTILE, HOSTILE) },
      {
        uid: 3,
        content: sessionInfoObject({ ...HEADERS, from: HOSTILE, group: true, sdp: '', invitedParticipants: [HOSTILE] }),
      },
      {
        uid: 4,
        content: groupStateObject({
          ...HEADERS,
          group: true,
          lastFocusSessionId: HOSTILE,
          participants: [{ name: HOSTILE, address: HOSTILE }],
        }),
      },
      { uid: 5, content: chatMessage(HEADERS, cpim(HOSTILE, 'message/imdn+xml', HOSTILE)) },
    ]);
    expect(
      html.match(
        /<(?!\/?(?:html|head|meta|title|style|body|header|h1|h2|dl|dt|dd|bdi|main|article|p|time|pre|ul|li)\b|!doctype html>)/g,
      ),
    ).toBeNull();
    expect(html).not.toMatch(/<[^>]*\s(?:on\w+|src|href)\s*=/);
    expect(html).toContain('&#60;script&#62;alert(1)');
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  it('is made of any bytes at all, with the same frame', () => {
    const bytes = fc.string({ unit: fc.nat(255).map((byte) => String.fromCharCode(byte)) });
    fc.assert(
      fc.property(
        bytes,
        fc.constantFrom('message/cpim', 'text/plain', 'Application/X-CPM-Session', 'x'),
        (body, contentType) => {
          const html = page(`Content-Type: ${contentType}\r\n\r\n${body}`, body);
          expect(html.match(/<article /g)).toHaveLength(2);
          expect(html.match(/<\/article>/g)).toHaveLength(2);
          expect(html).not.toMatch(/(?![\n\t])\p{Cc}/u);
        },
      ),
    );
  });
});
