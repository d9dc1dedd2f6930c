/**
 * Does what follows a change once it is made, also where what asked for it isn't shown any more by then, since the change
 * was announced before its answer came: mutate's own callbacks are left out in that case. The mutation keeps its error.
 */
export function afterwards<T>(change: Promise<T>, next: (made: T) => void): void {
  change.then(next, () => undefined);
}
