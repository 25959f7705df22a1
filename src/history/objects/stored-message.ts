/** Every object of the message store is an RFC 5322 message (digest 3.3). Text here is wire text: one character a byte. */

export interface StoredHeaders {
  readonly from: string;
  readonly to: string;
  /** ms since the epoch. */
  readonly date: number;
  readonly direction: 'in' | 'out';
  readonly conversationId: string;
  readonly contributionId: string;
  readonly inReplyToContributionId: string | null;
  /** Service URN. */
  readonly service: string;
  readonly messageId: string;
  readonly subject: string | null;
  /** IMDN Message-ID of a chat message. */
  readonly imdnMessageId?: string | null;
  /** `binary` where the body may hold anything; by default it is text. */
  readonly encoding?: '8bit' | 'binary';
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A stored message: headers, blank line, body. */
export function storedMessage(headers: StoredHeaders, contentType: string, body: string): string {
  const lines = [
    `From: ${headers.from}`,
    `To: ${headers.to}`,
    `Date: ${rfc5322Date(headers.date)}`,
    `Message-ID: <${headers.messageId}>`,
    ...(headers.subject === null ? [] : [`Subject: ${headers.subject}`]),
    `Message-Direction: ${headers.direction}`,
    `Conversation-ID: ${headers.conversationId}`,
    `Contribution-ID: ${headers.contributionId}`,
    ...(headers.inReplyToContributionId === null
      ? []
      : [`InReplyTo-Contribution-ID: ${headers.inReplyToContributionId}`]),
    `P-Asserted-Service: ${headers.service}`,
    ...(headers.imdnMessageId == null ? [] : [`IMDN-Message-ID: ${headers.imdnMessageId}`]),
    'MIME-Version: 1.0',
    `Content-Type: ${contentType}`,
    `Content-Transfer-Encoding: ${headers.encoding ?? '8bit'}`,
  ];
  return `${lines.map(oneLine).join('\r\n')}\r\n\r\n${body}`;
}

const BREAK = /[\r\n\0]/;

/** A value from the wire may never start a header of its own. Nearly none would: asked first, since that is cheaper. */
function oneLine(line: string): string {
  return BREAK.test(line) ? line.replace(/[\r\n\0]+/g, ' ') : line;
}

/** A second as it is written. */
interface Written {
  readonly second: number;
  /** `Mon, 02 Jan 2006 15:04:05 +0000` (RFC 5322 3.3). */
  readonly mail: string;
  /** `2006-01-02T15:04:05Z` (RFC 3339). */
  readonly xml: string;
}

/** The last one that was written: under load the next object has the same. */
let latest: Written = written(0);

export function rfc5322Date(ms: number): string {
  return writtenOf(ms).mail;
}

export function rfc3339(ms: number): string {
  return writtenOf(ms).xml;
}

function writtenOf(ms: number): Written {
  const second = Math.floor(ms / 1000);
  if (second !== latest.second) latest = written(second);
  return latest;
}

function written(second: number): Written {
  const { year, month, day, weekday, hours, minutes, seconds } = civil(second);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(hours)}:${two(minutes)}:${two(seconds)}`;
  return {
    second,
    mail: `${DAYS[weekday]}, ${two(day)} ${MONTHS[month - 1]} ${year} ${time} +0000`,
    xml: `${year}-${two(month)}-${two(day)}T${time}Z`,
  };
}

interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

/** UTC calendar of a time. Computed here, since the core has no clock and so no `Date` (days from civil, Hinnant). */
function civil(seconds: number): Civil {
  const days = Math.floor(seconds / 86_400);
  const rest = seconds - days * 86_400;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7,
    hours: Math.floor(rest / 3600),
    minutes: Math.floor((rest % 3600) / 60),
    seconds: rest % 60,
  };
}

/** Text as XML content or attribute value. */
export function xmlEscaped(text: string): string {
  return text.replace(/[<>&"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
