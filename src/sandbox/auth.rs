//! Whether a request carries an accepted token. It does not know what the request asks for.

use axum::http::{HeaderMap, header};

use super::Options;
use super::answers::Refusal;

/// Checks the header `Authorization: Auth-Token …`. Two such headers count as none.
pub(super) fn check(headers: &HeaderMap, options: &Options) -> Result<(), Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Refusal::MissingToken);
    };
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("Auth-Token "))
        .filter(|token| !token.is_empty())
        .ok_or(Refusal::MissingToken)?;

    if options.expired_tokens.iter().any(|known| known == token) {
        Err(Refusal::ExpiredToken)
    } else if options.tokens.iter().any(|known| known == token) {
        Ok(())
    } else if !is_well_formed(token) {
        Err(Refusal::MalformedToken)
    } else if options.tokens.is_empty() {
        Ok(())
    } else {
        Err(Refusal::UnknownToken)
    }
}

/// The `token68` of RFC 9110. It excludes what people leave in by mistake: quotes, the braces of the vendor's
/// `Auth-Token {project auth token}`, a second word.
fn is_well_formed(token: &str) -> bool {
    let core = token.trim_end_matches('=');
    !core.is_empty() && core.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(value: &str, options: &Options) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        check(&headers, options)
    }

    #[test]
    fn a_malformed_header_counts_as_missing() {
        let any = Options::default();
        assert_eq!(check(&HeaderMap::new(), &any), Err(Refusal::MissingToken));
        for odd in ["", "Auth-Token", "Auth-Token ", "Bearer abc", "abc", "é"] {
            assert_eq!(answer(odd, &any), Err(Refusal::MissingToken), "{odd}");
        }
        let mut twice = HeaderMap::new();
        twice.append(header::AUTHORIZATION, "Auth-Token a".parse().unwrap());
        twice.append(header::AUTHORIZATION, "Auth-Token a".parse().unwrap());
        assert_eq!(check(&twice, &any), Err(Refusal::MissingToken));
    }

    #[test]
    fn any_well_formed_token_is_accepted_where_none_is_listed() {
        let any = Options::default();
        for well_formed in ["abc", "a.b-c_d~e+f/g==", "0"] {
            assert_eq!(answer(&format!("Auth-Token {well_formed}"), &any), Ok(()));
        }
        for malformed in ["{abc}", "'abc'", "two words", " abc", "==", "a=b"] {
            assert_eq!(answer(&format!("Auth-Token {malformed}"), &any), Err(Refusal::MalformedToken), "{malformed}");
        }
    }

    #[test]
    fn listed_tokens_decide() {
        let options = Options {
            tokens: vec!["good".into(), "{odd}".into(), "old".into()],
            expired_tokens: vec!["old".into()],
            ..Options::default()
        };
        assert_eq!(answer("Auth-Token good", &options), Ok(()));
        assert_eq!(answer("Auth-Token {odd}", &options), Ok(()));
        assert_eq!(answer("Auth-Token bad", &options), Err(Refusal::UnknownToken));
        assert_eq!(answer("Auth-Token old", &options), Err(Refusal::ExpiredToken));
    }
}
