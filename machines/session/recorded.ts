/** Whether a session is recorded at all (O-200B-7, T-200B-4a, A-17). */
import type { SessionInput } from './context.ts';

/** False where preferences and policy are known and rule a recording out. */
export function mayBeRecorded({ policy, profile, role }: Pick<SessionInput, 'policy' | 'profile' | 'role'>): boolean {
  if (!policy.recording) return false;
  if (profile === null || profile.allowOfflineStorage) return true;
  // Read by its letter, the terminating text does not ask the preference.
  return role === 'term' && policy.compat.termFolderIgnoresPreference;
}
