/** What stands in the message store at the end, and which session wrote it. */
import type { Pointer, StoredObject } from '../../history/driver.ts';
import type { FolderRef } from '../../history/intent.ts';
import type { MemoryHistory } from '../../history/memory.ts';
import type { Chronicle } from '../chronicle.ts';

export interface FolderSeen {
  readonly ref: FolderRef;
  readonly name: string;
  readonly objects: readonly StoredObject[];
  readonly pointers: Readonly<Partial<Record<Pointer, number>>>;
}

export type ObjectKind = 'session' | 'group-state';

/** Every folder something was done in. */
export function foldersOf(chronicle: Chronicle, memory: MemoryHistory): FolderSeen[] {
  const folders = new Map<string, FolderRef>();
  for (const entry of chronicle.entries) {
    if (entry.kind === 'history') folders.set(folderName(entry.folder), entry.folder);
  }
  return [...folders].map(([name, ref]) => {
    let objects: readonly StoredObject[] = [];
    let pointers: FolderSeen['pointers'] = {};
    memory.objects(ref, (_, found) => {
      objects = found ?? [];
    });
    memory.pointers(ref, (_, found) => {
      pointers = found ?? {};
    });
    return { ref, name, objects, pointers };
  });
}

export function folderName({ user, conversationId, contributionId }: FolderRef): string {
  return `${user} ${conversationId}/${contributionId}`;
}

const TYPES: Readonly<Record<string, ObjectKind>> = {
  'application/x-cpm-session': 'session',
  'application/group-state-object+xml': 'group-state',
};

export function kindOf(object: string): ObjectKind | undefined {
  const type = /^Content-Type: *([^;\r\n]*)/im.exec(object)?.[1] ?? '';
  return TYPES[type.trim().toLowerCase()];
}

/** Session an object is of: its Message-ID names it. */
export function sessionOf(object: string): string {
  return /^Message-ID: *<?[a-z-]+\.([^@>\r\n]+)@/im.exec(object)?.[1] ?? '';
}
