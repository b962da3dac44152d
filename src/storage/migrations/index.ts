import { foundation } from './0001-foundation.ts'
import { policiesAndRoutes } from './0002-policies-and-routes.ts'
import { oidc } from './0003-oidc.ts'
import { auditTrail } from './0004-audit.ts'
import { addressIndexes } from './0005-address-indexes.ts'
import { captivePortal } from './0006-captive-portal.ts'
import type { Migration } from './migration.ts'

/** All steps; the position (from 1) is the schema version. */
export const migrations: readonly Migration[] = [
  foundation,
  policiesAndRoutes,
  oidc,
  auditTrail,
  addressIndexes,
  captivePortal,
]
