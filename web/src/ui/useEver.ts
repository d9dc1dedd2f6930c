import { useState } from 'react';

/** Whether a condition has ever held: for what is loaded when it is first wanted, and stays. */
export function useEver(now: boolean): boolean {
  const [ever, setEver] = useState(now);
  if (now && !ever) setEver(true);
  return ever;
}
