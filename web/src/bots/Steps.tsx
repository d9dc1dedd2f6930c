import type { ReactNode } from 'react';
import classes from './Steps.module.css';

/** Numbered steps that a person carries out, one after the other. */
export function Steps({ children }: { children: ReactNode }) {
  return <ol className={classes.steps}>{children}</ol>;
}

interface StepProps {
  title: string;
  text?: ReactNode;
  children?: ReactNode;
}

export function Step({ title, text, children }: StepProps) {
  return (
    <li className={classes.step}>
      <h3 className={classes.title}>{title}</h3>
      {text && <div className={classes.text}>{text}</div>}
      {children && <div className={classes.body}>{children}</div>}
    </li>
  );
}
