import { Button, Group, Select } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { usePermissions } from '@/tenants/queries';
import { secretsFor } from './names';
import { useSecrets } from './queries';
import { SecretDialog } from './SecretDialog';

interface Props {
  label?: string;
  'aria-label'?: string;
  description?: ReactNode;
  placeholder?: string;
  value?: string;
  onChange?: (name: string) => void;
  error?: ReactNode;
  /** The Worker whose bots will use it. */
  worker: string | undefined;
  /** The name of a secret that is made here. */
  proposed: string;
  required?: boolean;
  clearable?: boolean;
  disabled?: boolean;
}

/** Chooses a secret by its name, or makes one. */
export function SecretSelect({ value = '', onChange, worker, proposed, ...rest }: Props) {
  const { t } = useTranslation('secrets');
  const may = usePermissions();
  const { data: secrets } = useSecrets();
  const [making, setMaking] = useState(false);
  const names = secretsFor(secrets ?? [], worker);
  const missing = secrets !== undefined && value !== '' && !names.includes(value);
  return (
    <>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <Select
          flex={1}
          miw={0}
          data={missing ? [value, ...names] : names}
          value={value || null}
          onChange={(name) => onChange?.(name ?? '')}
          searchable
          nothingFoundMessage={may.changeSecrets ? t('select.none') : t('select.noneAsk')}
          {...rest}
          placeholder={rest.placeholder ?? t('select.placeholder')}
          error={rest.error ?? (missing ? t('select.missing') : undefined)}
          inputWrapperOrder={['label', 'description', 'input', 'error']}
        />
        {may.changeSecrets && !rest.disabled && (
          <Button
            variant="default"
            leftSection={<IconPlus size={15} />}
            mb={rest.error || missing ? 22 : 0}
            onClick={() => setMaking(true)}
          >
            {t('select.new')}
          </Button>
        )}
      </Group>
      {making && (
        <SecretDialog
          name={missing ? value : proposed}
          worker={worker}
          onClose={() => setMaking(false)}
          onSaved={(secret) => onChange?.(secret.name)}
        />
      )}
    </>
  );
}
