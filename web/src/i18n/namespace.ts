/** Turns the paths of catalogue files ("../workers/en.json") into namespaces ("workers"). */
export function byNamespace<T>(files: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(files).map(([path, texts]) => [path.split('/').at(-2) ?? path, texts]));
}
