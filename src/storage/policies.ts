import type { Policy, PolicyRule } from '../core/topology.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from './db.ts'

type Row = Omit<Policy, 'rules'>
type RuleRow = PolicyRule & { readonly policy_id: string }

const COLUMNS = 'id, network_id, name, description, created_at, updated_at'
const RULE_COLUMNS = 'r.id, r.policy_id, r.direction, r.action, r.target, r.target_type, r.description'

/** A network's policies with their rules, oldest first: two queries. */
export async function list(tx: Db, networkId: string): Promise<Policy[]> {
  const rows = await tx.all<Row>(
    `SELECT ${COLUMNS} FROM policies WHERE network_id = ? ORDER BY created_at, id`,
    networkId,
  )
  const rules = await tx.all<RuleRow>(
    `SELECT ${RULE_COLUMNS} FROM policy_rules r JOIN policies p ON p.id = r.policy_id
      WHERE p.network_id = ? ORDER BY r.policy_id, r.position`,
    networkId,
  )
  const byPolicy = Map.groupBy(rules, (rule) => rule.policy_id)
  return rows.map((row) => ({ ...row, rules: (byPolicy.get(row.id) ?? []).map(withoutPolicy) }))
}

/** The policy, in this network. */
export async function get(tx: Db, networkId: string, id: string): Promise<Policy> {
  const row = await tx.find<Row>(`SELECT ${COLUMNS} FROM policies WHERE network_id = ? AND id = ?`, networkId, id)
  if (!row) throw new AppError('not_found', `no policy ${quoted(id)} in network ${quoted(networkId)}`)
  const sql = `SELECT ${RULE_COLUMNS} FROM policy_rules r WHERE r.policy_id = ? ORDER BY r.position`
  return { ...row, rules: (await tx.all<RuleRow>(sql, id)).map(withoutPolicy) }
}

/** Adds a policy with its rules. */
export async function insert(tx: Db, policy: Policy): Promise<void> {
  await refuseTakenName(tx, policy)
  const { id, network_id, name, description, created_at, updated_at } = policy
  await tx.run(
    `INSERT INTO policies (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`,
    ...[id, network_id, name, description, created_at, updated_at],
  )
  for (const rule of policy.rules) await appendRule(tx, id, rule)
}

/** Writes name, description and the time of the change. */
export async function update(tx: Db, policy: Row): Promise<void> {
  await refuseTakenName(tx, policy)
  const { id, name, description, updated_at } = policy
  await tx.run(
    'UPDATE policies SET name = ?, description = ?, updated_at = ? WHERE id = ?',
    name,
    description,
    updated_at,
    id,
  )
}

/** Removes a policy from the network and from every group. */
export async function remove(tx: Db, id: string): Promise<void> {
  await tx.run('DELETE FROM policies WHERE id = ?', id)
}

/** Puts a rule behind the others of its policy. */
export async function appendRule(tx: Db, policyId: string, rule: PolicyRule): Promise<void> {
  const target = (type: PolicyRule['target_type']) => (rule.target_type === type ? rule.target : null)
  await tx.run(
    `INSERT INTO policy_rules (id, policy_id, position, direction, action, target_type, target, target_peer,
      target_group, description)
      SELECT ?, ?, COALESCE(MAX(position), -1) + 1, ?, ?, ?, ?, ?, ?, ? FROM policy_rules WHERE policy_id = ?`,
    ...[rule.id, policyId, rule.direction, rule.action, rule.target_type, rule.target],
    ...[target('peer'), target('group'), rule.description, policyId],
  )
}

/** Takes a rule out of its policy; false when it is not there. */
export async function removeRule(tx: Db, policyId: string, ruleId: string): Promise<boolean> {
  return (await tx.run('DELETE FROM policy_rules WHERE policy_id = ? AND id = ?', policyId, ruleId)) > 0
}

function withoutPolicy({ policy_id: _, ...rule }: RuleRow): PolicyRule {
  return rule
}

async function refuseTakenName(tx: Db, policy: Row): Promise<void> {
  const sql = 'SELECT 1 AS one FROM policies WHERE network_id = ? AND name = ? AND id <> ?'
  if (await tx.find(sql, policy.network_id, policy.name, policy.id)) {
    throw new AppError('conflict', `a policy called ${quoted(policy.name)} exists in this network`)
  }
}
