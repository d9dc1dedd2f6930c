import { MantineProvider } from '@mantine/core';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { persistent } from '@/ui/persistent';
import type { makeRouter } from './router';
import { cssVariables, themeWith } from './theme';

const Overlays = lazy(() => persistent(() => import('./Overlays'), Number.POSITIVE_INFINITY));

interface Props {
  nonce: string | undefined;
  queryClient: QueryClient;
  router: ReturnType<typeof makeRouter>;
}

export function App({ nonce, queryClient, router }: Props) {
  const { t } = useTranslation('ui');
  const theme = useMemo(
    () => themeWith({ close: t('close'), showPassword: t('showPassword'), remove: t('remove') }),
    [t],
  );
  const [idle, setIdle] = useState(false);
  // What lies over the pages comes once the first of them is there with what it shows.
  useEffect(() => {
    let cancel = () => {};
    const stop = router.subscribe('onResolved', () => {
      stop();
      const wait = () => {
        cancel = whenIdle(() => (queryClient.isFetching() > 0 ? wait() : setIdle(true)));
      };
      wait();
    });
    return () => {
      stop();
      cancel();
    };
  }, [queryClient, router]);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={nonce ? () => nonce : undefined}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Suspense>{idle && <Overlays />}</Suspense>
      </QueryClientProvider>
    </MantineProvider>
  );
}

function whenIdle(act: () => void): () => void {
  // Not every browser tells when it is idle.
  if (!('requestIdleCallback' in window)) {
    const timer = setTimeout(act, 1_000);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(act, { timeout: 2_000 });
  return () => cancelIdleCallback(handle);
}
