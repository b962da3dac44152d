import * as oauth from 'oauth4webapi'
import { AppError } from '../../errors.ts'

const CLIENT_REFUSED = 'the identity provider does not accept AUTH_CLIENT_ID and AUTH_CLIENT_SECRET: check both'
const CODE_REFUSED =
  'the identity provider refused the code: it was used before, has expired, or belongs to another redirect_uri or code_verifier; sign in again'

/** What to tell of an error in talking to the provider: nothing of what the provider sent but its error's name. */
export function refusalOf(thrown: unknown): unknown {
  if (thrown instanceof oauth.ResponseBodyError) return ofErrorAnswer(thrown)
  if (thrown instanceof oauth.WWWAuthenticateChallengeError) {
    return new AppError('unavailable', CLIENT_REFUSED, { cause: thrown })
  }
  if (thrown instanceof oauth.OperationProcessingError) return ofAnswer(thrown)
  if (thrown instanceof oauth.UnsupportedOperationError) {
    return new AppError('unavailable', 'the identity provider asks for what is not supported here', { cause: thrown })
  }
  return thrown
}

function ofErrorAnswer(cause: oauth.ResponseBodyError): AppError {
  if (cause.error === 'invalid_grant') return new AppError('invalid', CODE_REFUSED, { cause })
  if (/^(invalid|unauthorized)_client$/.test(cause.error)) return new AppError('unavailable', CLIENT_REFUSED, { cause })
  const name = /^[a-z_]{1,40}$/.test(cause.error) ? cause.error : 'an error'
  return new AppError('unavailable', `the identity provider answers with ${name}`, { cause })
}

function ofAnswer(cause: oauth.OperationProcessingError): AppError {
  switch (cause.code) {
    case oauth.JWT_CLAIM_COMPARISON:
    case oauth.JWT_TIMESTAMP_CHECK:
      return new AppError(
        'unauthenticated',
        "the identity provider's token does not hold: it is not for us or not for now",
        {
          cause,
        },
      )
    case oauth.JSON_ATTRIBUTE_COMPARISON:
      return new AppError('unavailable', 'the identity provider calls itself otherwise than AUTH_ISSUER_URL', { cause })
    default:
      return new AppError('unavailable', 'the identity provider sent what is no valid answer', { cause })
  }
}
