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
use crate::diagnostics::events;
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
    checks: Semaphore,
    /// Held by those who wait for that.
    waiting: Semaphore,
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
        let waiting = Semaphore::new(MOST_WAITING);
        let users = Arc::new(Users { users, checks: Semaphore::new(1), waiting });
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
        // As the access log has it: who bans addresses looks for one form.
        let shown = |it: SocketAddr| SocketAddr::new(it.ip().to_canonical(), it.port()).to_string();
        let client = EffectiveRequest::of(request).client().map(shown);
        let client = client.as_deref().unwrap_or("a local process");
        events::not_let_in(client, &credentials.user_shown());
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
                match stage.users.is_right(at, &credentials).await {
                    None => too_many(),
                    Some(true) if is_known => {
                        stage.let_in(at, &mut request);
                        next.call(request).await
                    }
                    Some(_) => stage.refuse(&request, &credentials),
                }
            })
        }))
    }
}

impl Users {
    /// Checks a password against the hash of the user there; `None` if too many wait for that.
    async fn is_right(self: &Arc<Self>, at: usize, credentials: &Credentials) -> Option<bool> {
        let _one_of_few = self.waiting.try_acquire().ok()?;
        let _one_at_a_time = self.checks.acquire().await.ok()?;
        let (users, typed) = (Arc::clone(self), credentials.password().to_vec());
        let check = move || users.users.get(at).is_some_and(|user| user.password.check(&typed));
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
        // For a user that is not there another's password is looked at: how long an answer takes is not to
        // tell who is.
        let at = found.unwrap_or(0);
        let typed = Typed::new(credentials.password());
        match users.get(at).map(|user| user.password.judge(&typed)) {
            Some(Judgement::Right) if found.is_some() => {
                self.let_in(at, request);
                Enter::Next
            }
            Some(Judgement::NotKnownYet) if credentials.password().len() > LONGEST => {
                Enter::Answer(self.refuse(request, &credentials))
            }
            Some(Judgement::NotKnownYet) => self.check(at, found.is_some(), credentials),
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
