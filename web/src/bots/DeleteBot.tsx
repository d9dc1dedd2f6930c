import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { afterwards } from '@/api/afterwards';
import type { Bot } from '@/api/resources';
import { useTenantSlug } from '@/tenants/queries';
import { ConfirmByName } from '@/ui/ConfirmByName';
import { useDeleteBot } from './queries';

/** Deletes a bot once its name is typed; says what is lost. */
export function DeleteBot({ bot, onClose }: { bot: Bot; onClose: () => void }) {
  const { t } = useTranslation('bots');
  const tenant = useTenantSlug();
  const navigate = useNavigate();
  const remove = useDeleteBot(bot.id);
  return (
    <ConfirmByName
      title={t('delete.title', { name: bot.name })}
      name={bot.name}
      action={t('delete.action')}
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        afterwards(remove.mutateAsync(bot.name), () => {
          notifications.show({ message: t('delete.done', { name: bot.name }) });
          onClose();
          void navigate({ to: '/t/$tenant/bots', params: { tenant } });
        })
      }
    >
      <Text size="sm">{t('delete.text')}</Text>
      <ul style={{ margin: '8px 0 0', paddingLeft: 20, fontSize: '0.8125rem', lineHeight: 1.6 }}>
        {bot.kind === 'assistant' ? (
          <>
            <li>{t('delete.persona')}</li>
            <li>{t('delete.conversations')}</li>
          </>
        ) : (
          <>
            <li>{t('delete.program')}</li>
            <li>{t('delete.files')}</li>
          </>
        )}
        <li>{t('delete.address')}</li>
      </ul>
      <Text size="sm" c="dimmed" mt="sm">
        {t('delete.kept')}
      </Text>
    </ConfirmByName>
  );
}
