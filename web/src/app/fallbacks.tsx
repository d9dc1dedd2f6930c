import { IconMap2 } from '@tabler/icons-react';
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel } from '@/ui/errors';
import { ButtonLink } from '@/ui/links';

export function NotFoundPage() {
  const { t } = useTranslation('app');
  return (
    <main>
      <EmptyState
        page
        icon={IconMap2}
        title={t('notFound.title')}
        text={t('notFound.text')}
        action={
          <ButtonLink to="/" variant="default">
            {t('notFound.home')}
          </ButtonLink>
        }
      />
    </main>
  );
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <ErrorPanel
      error={error}
      retry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
