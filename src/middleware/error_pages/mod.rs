//! Pages in the place of answers that say nothing, or are none: `StatusCodePages`, `ExceptionHandler`,
//! `ProblemDetails` and `DeveloperExceptionPage`.

mod developer_page;
mod exception_handler;
mod failure;
mod once_more;
mod problem_details;
mod status_pages;
mod status_text;

pub(crate) use developer_page::DeveloperPage;
pub(crate) use exception_handler::{ErrorPath, ExceptionHandler};
pub(crate) use status_pages::{StatusPage, StatusPages, Template};
