import { Button } from '@mantine/core';
import { IconBuilding } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useSignOut } from '@/session/signOut';
import { EmptyState } from '@/ui/EmptyState';

/** For a person who is a member of no tenant. */
export function NoTenantPage() {
  const { t } = useTranslation('tenants');
  const signOut = useSignOut();
  return (
    <main>
      <EmptyState
        page
        icon={IconBuilding}
        title={t('none.title')}
        text={t('none.text')}
        action={
          <Button variant="default" onClick={signOut}>
            {t('none.signOut')}
          </Button>
        }
      />
    </main>
  );
}
