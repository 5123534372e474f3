//! Thirty thousand tasks whose names have nothing in common, so that each is a group of its own: whatever looks at them looks up no name by
//! going through all.

use delayed::{Colour, Delayed, Graph, GraphBuilder, Lint, Profile, Run, apply, delayed};

const TASKS: usize = 30_000;

/// A word of its own for each number, without a digit.
fn word(mut number: usize) -> String {
    let mut word = String::from("word ");
    loop {
        word.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return word;
        }
    }
}

#[test]
fn every_name_is_found_drawn_and_profiled() -> Result<(), Box<dyn std::error::Error>> {
    let table = [1_u8; 5000];
    let looks: Vec<Delayed<usize>> = (0..TASKS)
        .map(|i| {
            let look = if i % 100 == 0 {
                delayed(move || usize::from(table[i % 5000]))
            } else {
                delayed(|| 1)
            };
            look.named(word(i))
        })
        .collect();
    let sum = apply(&looks, |all| all.into_iter().sum::<usize>()).named("sum");
    let profile = Profile::new();
    let run = Run::new().threads(2).observe(profile.clone());
    assert_eq!(run.compute(&sum)?, TASKS);

    let mut named = looks.iter().enumerate();
    let builder = named.try_fold(GraphBuilder::new(), |builder, (i, look)| {
        builder.output(word(i), look)
    })?;
    assert_eq!(builder.build()?.outputs().len(), TASKS);

    let graph = Graph::of(&sum);
    for i in 0..TASKS {
        let id = graph.find(&word(i)).expect("it is there");
        assert_eq!(graph.key(id).as_str(), word(i));
    }
    assert_eq!(graph.find("word"), None);
    let captures = graph.lint();
    let captures = captures
        .iter()
        .filter(|lint| matches!(lint, Lint::BigCapture { tasks: 1, .. }));
    assert_eq!(captures.count(), TASKS / 100);

    let text = graph.dot().colour(Colour::Group).to_string();
    assert_eq!(text.matches(" -> ").count(), TASKS);
    assert!(text.contains(r#"label="and 29993 more in the same colours again""#));

    let file = tempfile::NamedTempFile::new()?;
    profile.write_html(file.path())?;
    let page = std::fs::read_to_string(file.path())?;
    let start = page.find("const run = ").expect("the data") + "const run = ".len();
    let end = start + page[start..].find(";\n").expect("their end");
    let data: serde_json::Value = serde_json::from_str(&page[start..end])?;
    for task in data["tasks"].as_array().expect("a list") {
        let group = task[4].as_u64().expect("a place") as usize;
        assert_eq!(data["groups"][group][0], task[0]);
    }
    Ok(())
}
