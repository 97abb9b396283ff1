//! Lets in who names a user and that user's password (`BasicAuthentication`; HTTP's Basic scheme, RFC 7617).
//!
//! A password that stands in the settings as it is is compared here and now. One that is hashed takes a
//! thousandth of a second and more to be checked, which is what its hash is for: that happens on a thread of
//! its own, one check at a time, so that guesses hold up nobody but others who are not in yet. Once a
//! password was right, it is known, and every later request is compared with it.

#[cfg(feature = "basic-auth")]
mod bcrypt;
mod credentials;
#[cfg(feature = "basic-auth")]
mod password;
#[cfg(not(feature = "basic-auth"))]
#[path = "no_password.rs"]
mod password;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use tokio::sync::Semaphore;

use self::credentials::Credentials;
pub(crate) use self::password::{
    ARE_THERE as PASSWORDS_ARE_THERE, HashMistake, MOST_COST, MOST_ROUNDS, Password,
};
use self::password::{Judgement, Typed};
use crate::diagnostics::{LogContext, events};
use crate::features::{EffectiveRequest, LateFacts, Overlay};
use crate::pipeline::{Enter, Next, Request, Responding, Response, Stage};

/// The stage.
#[derive(Clone)]
pub(crate) struct BasicAuthentication {
    challenge: HeaderValue,
    users: Arc<Users>,
}

struct Users {
    users: Vec<User>,
    /// Held while a hash is computed.
    checks: Arc<Semaphore>,
    /// Held by those who wait for that.
    waiting: Arc<Semaphore>,
    /// Chooses whose hash is computed for somebody who has none.
    chooser: RandomState,
}

/// The longest password that a hash is computed of, in bytes, as with `openssl passwd`: the time it takes grows
/// with the length.
const LONGEST: usize = 256;

/// How many wait for a hash at most.
const MOST_WAITING: usize = 100;

/// Somebody who may come in.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: Arc<str>,
    pub(crate) password: Password,
}

impl BasicAuthentication {
    /// Lets these in. The realm is what browsers show; `None`, if it cannot stand in a header.
    pub(crate) fn new(realm: &str, users: Vec<User>) -> Option<Self> {
        if !realm.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return None;
        }
        let realm = realm.replace('\\', r"\\").replace('"', r#"\""#);
        // With the character set, clients send names and passwords in UTF-8.
        let challenge = format!(r#"Basic realm="{realm}", charset="UTF-8""#);
        let challenge = HeaderValue::try_from(challenge).ok()?;
        let [checks, waiting] = [1, MOST_WAITING].map(|most| Arc::new(Semaphore::new(most)));
        let users = Arc::new(Users { users, checks, waiting, chooser: RandomState::new() });
        Some(Self { challenge, users })
    }

    fn refusal(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        headers.insert(WWW_AUTHENTICATE, self.challenge.clone());
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        response
    }

    fn refuse(&self, request: &Request, credentials: &Credentials) -> Response {
        events::not_let_in(&client_shown(request), &credentials.user_shown());
        self.refusal()
    }

    /// Tells the app, and the logs, who it is.
    fn let_in(&self, at: usize, request: &mut Request) {
        let Some(User { name, .. }) = self.users.users.get(at) else { return };
        LateFacts::tell(request, None, Some(name));
        Overlay::change(request, |overlay| overlay.user = Some(Arc::clone(name)));
    }

    /// Computes the hash of what was typed, and goes on if it is the right one.
    fn check(&self, at: usize, is_known: bool, credentials: Credentials) -> Enter {
        let stage = self.clone();
        Enter::Around(Box::new(move |request: Request, next: Next| {
            Responding::later(async move {
                let mut request = request;
                let client = client_shown(&request);
                match stage.users.may_come_in((at, is_known), credentials, client).await {
                    None => too_many(),
                    Some(true) => {
                        stage.let_in(at, &mut request);
                        next.call(request).await
                    }
                    Some(false) => stage.refusal(),
                }
            })
        }))
    }
}

/// The client, as the access log has it: who bans addresses looks for one form.
fn client_shown(request: &Request) -> String {
    let shown = |it: SocketAddr| SocketAddr::new(it.ip().to_canonical(), it.port()).to_string();
    let client = EffectiveRequest::of(request).client().map(shown);
    client.unwrap_or_else(|| "a local process".to_owned())
}

impl Users {
    /// Whose hash is computed for a name that is nobody's, or that of somebody without a hash: always the same, so that
    /// how long an answer takes does not tell who is a user. `None`, if nobody has one.
    fn stand_in(&self, name: &[u8]) -> Option<usize> {
        let hashed = || self.users.iter().enumerate().filter(|(_, user)| user.password.is_hash());
        let choice = self.chooser.hash_one(name.to_ascii_lowercase());
        let nth = usize::try_from(choice % u64::try_from(hashed().count()).ok()?.max(1)).ok()?;
        hashed().nth(nth).map(|(at, _)| at)
    }

    /// Checks a password against the hash of the user there, who is the one that was named if he `is_known`, and tells of
    /// one that does not come in; `None` if too many wait for that.
    ///
    /// What was begun goes on when the client is gone, and so does what it holds: whoever breaks off gets no more
    /// guesses, and is told of.
    async fn may_come_in(
        self: &Arc<Self>,
        (at, is_known): (usize, bool),
        credentials: Credentials,
        client: String,
    ) -> Option<bool> {
        let one_of_few = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        let one_at_a_time = Arc::clone(&self.checks).acquire_owned().await.ok()?;
        let (users, log) = (Arc::clone(self), LogContext::current());
        let check = move || {
            let _held = (one_of_few, one_at_a_time);
            let typed = credentials.password();
            let is_right = users.users.get(at).is_some_and(|user| user.password.check(typed));
            let comes_in = is_right && is_known;
            if !comes_in {
                log.run(|| events::not_let_in(&client, &credentials.user_shown()));
            }
            comes_in
        };
        Some(tokio::task::spawn_blocking(check).await.unwrap_or(false))
    }
}

/// Somebody tries one password after the other.
fn too_many() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

impl Stage for BasicAuthentication {
    fn enter(&self, request: &mut Request) -> Enter {
        // Of two, somebody else may look at the other one.
        let mut headers = request.headers().get_all(AUTHORIZATION).iter();
        let (Some(header), None) = (headers.next(), headers.next()) else {
            return Enter::Answer(self.refusal());
        };
        let Some(credentials) = Credentials::read(header.as_bytes()) else {
            return Enter::Answer(self.refusal());
        };
        let users = &self.users.users;
        // As settings, in whose keys the names stand, do not tell capitals apart.
        let is_meant = |user: &User| user.name.as_bytes().eq_ignore_ascii_case(credentials.user());
        let found = users.iter().position(is_meant);
        let typed = Typed::new(credentials.password());
        if let Some(at) = found
            && matches!(users[at].password.judge(&typed), Judgement::Right)
        {
            self.let_in(at, request);
            return Enter::Next;
        }
        // All who are not let in wait as long, whether or not they are users, and were here before.
        let own = found.filter(|at| users[*at].password.is_hash());
        match own.or_else(|| self.users.stand_in(credentials.user())) {
            Some(at) if credentials.password().len() <= LONGEST => {
                self.check(at, own.is_some(), credentials)
            }
            _ => Enter::Answer(self.refuse(request, &credentials)),
        }
    }

    fn knows_files(&self) -> bool {
        true
    }
}

impl PartialEq for BasicAuthentication {
    fn eq(&self, other: &Self) -> bool {
        let alike = |(one, other): (&User, &User)| {
            one.name == other.name && one.password.is_as_written(&other.password)
        };
        let (ours, theirs) = (&self.users.users, &other.users.users);
        self.challenge == other.challenge
            && ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(alike)
    }
}

impl fmt::Debug for BasicAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuthentication")
            .field("challenge", &self.challenge)
            .field("users", &self.users.users)
            .finish()
    }
}

#[cfg(all(test, feature = "basic-auth"))]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Of `a`, by `htpasswd -nbB -C 4` and by `openssl passwd -6`.
    const BCRYPT: &str = "$2y$04$x/O/AmoeSkILSobFF9RC8OyHATFKD0y9k/zcb1GKiZBJ1p0IVv0J2";
    const SHA: &str = "$6$rounds=100000$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1";

    fn users(passwords: &[&str]) -> Arc<Users> {
        let users = passwords.iter().enumerate().map(|(number, text)| User {
            name: format!("user{number}").into(),
            password: Password::read(text).unwrap(),
        });
        BasicAuthentication::new("realm", users.collect()).unwrap().users
    }

    #[test]
    fn who_is_nobody_waits_for_the_hash_of_somebody() {
        let all = users(&["plain", BCRYPT, SHA, "plain", BCRYPT]);
        let chosen: Vec<_> =
            (0..100).map(|it| all.stand_in(format!("nobody{it}").as_bytes()).unwrap()).collect();
        assert!([1, 2, 4].iter().all(|at| chosen.contains(at)), "{chosen:?}");
        assert!(chosen.iter().all(|at| [1, 2, 4].contains(at)), "{chosen:?}");
        assert_eq!(all.stand_in(b"Nobody7"), Some(chosen[7]), "the same for one name");
        assert_eq!(users(&["plain"]).stand_in(b"nobody"), None);
        assert_eq!(users(&[]).stand_in(b"nobody"), None);
    }

    #[tokio::test]
    async fn a_check_that_nobody_waits_for_any_more_keeps_its_place_until_it_is_done() {
        let users = users(&[SHA]);
        let credentials = Credentials::read(b"Basic dXNlcjA6Z3Vlc3M=").expect("user0:guess");
        {
            let checking = pin!(users.may_come_in((0, true), credentials, "somewhere".to_owned()));
            let polled = checking.poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
        }
        assert_eq!(users.checks.available_permits(), 0, "it goes on");
        assert_eq!(users.waiting.available_permits(), MOST_WAITING - 1);
        let next = users.checks.acquire().await.expect("it is not closed");
        assert_eq!(users.waiting.available_permits(), MOST_WAITING);
        drop(next);
    }
}
