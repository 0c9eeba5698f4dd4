//! Sections
