import process from 'node:process'
import { bridgeStdio } from '../../src/transport/stdio.ts'

const { stdin, stdout, stderr, argv, env } = process
await bridgeStdio({ url: argv[2] ?? '', token: env.WIRETY_TOKEN ?? '', stdin, stdout, stderr })
