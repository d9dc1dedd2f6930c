import { Button, Group, PasswordInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useTranslation } from 'react-i18next';
import type { Secret } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { usePermissions } from '@/tenants/queries';
import { Dialog } from '@/ui/Dialog';
import { InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { useWorkers } from '@/workers/queries';
import { isSecretName, toSecretName } from './names';
import { usePutSecret } from './queries';

interface Props {
  /** Its value is replaced; otherwise a new secret is made. */
  secret?: Secret;
  /** Proposed for a new one. */
  name?: string;
  worker?: string;
  onClose: () => void;
  onSaved?: (secret: Secret) => void;
}

/** Sets the value of a secret. What is typed here can't be read back by anybody. */
export function SecretDialog({ secret, name = '', worker, onClose, onSaved }: Props) {
  const { t } = useTranslation(['secrets', 'ui']);
  const format = useFormat();
  const may = usePermissions();
  const { data: workers } = useWorkers();
  const put = usePutSecret();
  // Who is limited to some Workers can't set secrets that every Worker may use.
  const first = secret ? (secret.worker_id ?? '') : may.limited ? (worker ?? workers?.[0]?.id ?? '') : '';
  const form = useForm({
    initialValues: { name: secret?.name ?? name, value: '', worker: first },
    validate: {
      name: (v) => (isSecretName(v) ? null : t('dialog.nameWrong')),
      value: (v) => (v === '' ? t('dialog.valueMissing') : null),
    },
  });
  return (
    <Dialog onClose={onClose} title={secret ? t('dialog.replace', { name: secret.name }) : t('dialog.new')}>
      <form
        noValidate
        onSubmit={(e) => {
          // The dialog may lie over another form, which must not be sent with it.
          e.stopPropagation();
          form.onSubmit((v) =>
            put.mutate(
              { name: v.name, value: v.value, worker: v.worker || undefined },
              {
                onSuccess: (saved) => {
                  notifications.show({ message: t('dialog.saved', { name: saved.name }) });
                  onSaved?.(saved);
                  onClose();
                },
                onError: (error) => form.setErrors(fieldErrors(error, { worker_id: 'worker' })),
              },
            ),
          )(e);
        }}
      >
        <Stack gap="md">
          {!secret && (
            <TextInput
              label={t('dialog.name')}
              description={t('dialog.nameHelp')}
              placeholder="OPENAI_API_KEY"
              data-autofocus={name === '' || undefined}
              autoComplete="off"
              spellCheck={false}
              required
              {...form.getInputProps('name')}
              onChange={(e) => form.setFieldValue('name', toSecretName(e.currentTarget.value))}
            />
          )}
          <PasswordInput
            label={t('dialog.value')}
            description={t('dialog.valueHelp')}
            data-autofocus={secret || name !== '' ? true : undefined}
            autoComplete="off"
            spellCheck={false}
            required
            {...form.getInputProps('value')}
          />
          {!secret && (
            <Select
              label={t('dialog.scope')}
              description={t('dialog.scopeHelp')}
              allowDeselect={false}
              searchable={(workers?.length ?? 0) > 8}
              data={[
                ...(may.limited ? [] : [{ value: '', label: t('everyWorker') }]),
                ...(workers ?? [])
                  .filter((w) => w.desired !== 'deleted')
                  .sort((a, b) => format.compare(a.name, b.name))
                  .map((w) => ({ value: w.id, label: t('onlyWorker', { name: w.name }) })),
              ]}
              {...form.getInputProps('worker')}
            />
          )}
          {secret && (
            <Text size="sm" c="dimmed">
              {t('dialog.restarts')}
            </Text>
          )}
          {put.error && <InlineError error={put.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui:cancel')}
            </Button>
            <Button type="submit" loading={put.isPending}>
              {t('ui:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
