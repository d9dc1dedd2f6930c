import { MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { makeRouter } from './router';
import { cssVariables, themeWith } from './theme';

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
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={nonce ? () => nonce : undefined}
    >
      <QueryClientProvider client={queryClient}>
        <ModalsProvider>
          <RouterProvider router={router} />
        </ModalsProvider>
        <Notifications position="bottom-right" limit={4} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
