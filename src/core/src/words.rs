//! Closed lists of words, as the database, addresses and forms have them.

/// Makes an enum whose values are words: each stands once, with what it means.
///
/// `ALL` has them in the order in which they stand, `as_str` gives the word and `from_word` reads it.
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $($(#[$value_meta:meta])* $value:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        $visibility enum $name {
            $($(#[$value_meta])* $value,)+
        }

        impl $name {
            /// All of them, in their order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$value),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }

            /// Reads the word; another spelling is none.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$value),)+
                    _ => None,
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    words! {
        /// How a door stands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Door {
            /// Nobody is stopped.
            Open = "open",
            /// Nobody comes in.
            Shut = "shut_tight",
        }
    }

    #[test]
    fn a_word_is_read_as_it_is_written_and_in_no_other_spelling() {
        for door in Door::ALL {
            assert_eq!(Door::from_word(door.as_str()), Some(door));
        }
        assert_eq!(Door::ALL.map(Door::as_str), ["open", "shut_tight"]);
        for odd in ["Open", "shut", "", "open "] {
            assert_eq!(Door::from_word(odd), None, "{odd}");
        }
    }
}
