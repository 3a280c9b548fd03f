//! Every mail as files, to look at.

use std::{fs, path::Path};

use vestibule_mail::preview::{index_html, previews};

use super::{Refused, Streams};

/// Writes an index and every mail in every language, as HTML and as plain text.
///
/// # Errors
/// A folder or a file that cannot be written.
pub(super) fn preview(folder: &Path, streams: &mut Streams<'_>) -> Result<(), Refused> {
    let previews = previews();
    write(folder, "index.html", &index_html(&previews))?;
    for preview in &previews {
        let folder = folder.join(preview.language);
        write(&folder, &format!("{}.html", preview.kind), &preview.html)?;
        write(&folder, &format!("{}.txt", preview.kind), &preview.text)?;
    }
    let count = previews.len();
    writeln!(
        streams.output,
        "{count} mails are in the folder {}. Open index.html in it.",
        folder.display()
    )?;
    Ok(())
}

fn write(folder: &Path, name: &str, content: &str) -> Result<(), Refused> {
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join(name), content))
        .map_err(|error| {
            Refused::because(format!(
                "{} cannot be written: {}.",
                folder.join(name).display(),
                error.kind()
            ))
        })
}
