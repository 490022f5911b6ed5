/** The configuration of stores in rotate.yaml: what a secret's file looks like inside. Light: zod and pure code only. */
import { z } from 'zod';
import { parseTemplate } from './format/template.js';

/** See stores/format/template.ts for the syntax. */
export const templateSchema = z.string().superRefine((source, context) => {
  const parsed = parseTemplate(source);
  if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
});

/** The whole file is the credential, or the template filled in. */
export const rawFormatSchema = z.strictObject({ raw: z.literal(true), template: templateSchema.optional() });

/** One variable of a systemd environment file is the credential, or the template filled in. */
export const envFormatSchema = z.strictObject({
  env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name is letters, digits and _'),
  template: templateSchema.optional(),
});

/** `format` of a secret. The configuration's default is `raw`. */
export const formatSchema = z.union([z.literal('raw'), rawFormatSchema, envFormatSchema]);

export type Format = z.infer<typeof formatSchema>;
