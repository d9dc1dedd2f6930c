import { useDebouncedValue } from '@mantine/hooks';
import { useEffect, useEffectEvent, useState } from 'react';

/**
 * What a person looks for: as they type it, and once they pause (ms) as the page looks for it, which the address keeps.
 * Nothing is written there unless it was typed: a page that is being left would write it to the address of the next.
 */
export function useSought(inAddress: string | undefined, keep: (q: string | undefined) => void, pause: number) {
  const [query, setQuery] = useState(inAddress ?? '');
  const [sought] = useDebouncedValue(query, pause);
  const write = useEffectEvent((q: string) => {
    if (q !== (inAddress ?? '')) keep(q || undefined);
  });
  useEffect(() => write(sought), [sought]);
  return { query, setQuery, sought };
}
