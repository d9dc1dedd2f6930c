import { isApiError } from '@/api/problem';

/**
 * The API's field errors as the form library takes them. rename maps API paths to form fields where they differ.
 */
export function fieldErrors(error: unknown, rename: Record<string, string> = {}): Record<string, string> {
  if (!isApiError(error)) return {};
  return Object.fromEntries(error.fields.map(({ field, message }) => [rename[field] ?? field, message]));
}
