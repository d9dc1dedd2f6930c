import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/Dialog';
import { InlineError } from './errors';

interface Props {
  title: string;
  /** What is lost. */
  children: ReactNode;
  name: string;
  action: string;
  busy: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks for the name of what is about to be deleted. */
export function ConfirmByName({ title, children, name, action, busy, error, onConfirm, onClose }: Props) {
  const { t } = useTranslation('ui');
  const [typed, setTyped] = useState('');
  const right = typed.trim() === name;
  return (
    <Dialog onClose={onClose} title={title}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (right) onConfirm();
        }}
      >
        <Stack gap="md">
          <div>{children}</div>
          <TextInput
            data-autofocus
            label={
              <Text span size="sm" fw={400}>
                <Trans
                  t={t}
                  i18nKey="confirmName.label"
                  values={{ name }}
                  components={{ b: <strong /> }}
                  shouldUnescape
                />
              </Text>
            }
            autoComplete="off"
            spellCheck={false}
            value={typed}
            onChange={(e) => setTyped(e.currentTarget.value)}
          />
          {error != null && <InlineError error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button type="submit" color="red" disabled={!right} loading={busy}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
