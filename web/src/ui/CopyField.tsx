import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import classes from './CopyField.module.css';

interface Props {
  label: string;
  value: string;
  /** Shows the label above the value; otherwise it is for screen readers alone. */
  labelled?: boolean;
}

/** A value to copy: an address, a token, a command. */
export function CopyField({ label, value, labelled }: Props) {
  const { t } = useTranslation('ui');
  return (
    <div>
      {labelled && <div className={classes.label}>{label}</div>}
      <div className={classes.root}>
        <input
          className={classes.value}
          readOnly
          aria-label={label}
          value={value}
          onFocus={(e) => e.currentTarget.select()}
        />
        <CopyButton value={value} timeout={2000}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? t('copied') : t('copy')}>
              <ActionIcon
                size={36}
                className={classes.button}
                aria-label={copied ? t('copied') : `${t('copy')}: ${label}`}
                color={copied ? 'teal' : 'gray'}
                onClick={copy}
              >
                {copied ? <IconCheck size={17} /> : <IconCopy size={17} />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      </div>
    </div>
  );
}
