import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Bot, Worker } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { useTenantSlug } from '@/tenants/queries';
import { ConfirmByName } from '@/ui/ConfirmByName';
import { useDeleteWorker } from './queries';

/** Deletes a Worker once its name is typed; says what is lost. */
export function DeleteWorker({ worker, bots, onClose }: { worker: Worker; bots: Bot[]; onClose: () => void }) {
  const { t } = useTranslation('workers');
  const format = useFormat();
  const tenant = useTenantSlug();
  const navigate = useNavigate();
  const remove = useDeleteWorker(worker.id);
  return (
    <ConfirmByName
      title={t('delete.title', { name: worker.name })}
      name={worker.name}
      action={t('delete.action')}
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(worker.name, {
          onSuccess: () => {
            notifications.show({ message: t('delete.asked', { name: worker.name }) });
            onClose();
            void navigate({ to: '/t/$tenant/workers', params: { tenant }, search: { worker: undefined } });
          },
        })
      }
    >
      <Text size="sm">{t('delete.text')}</Text>
      <ul style={{ margin: '8px 0 0', paddingLeft: 20, fontSize: '0.8125rem', lineHeight: 1.6 }}>
        <li>{t('delete.disk', { size: format.disk(worker.size.disk_gib) })}</li>
        {bots.length > 0 && (
          <li>{t('delete.bots', { count: bots.length, names: format.list(bots.slice(0, 5).map((b) => b.name)) })}</li>
        )}
      </ul>
      <Text size="sm" c="dimmed" mt="sm">
        {t('delete.kept')}
      </Text>
    </ConfirmByName>
  );
}
