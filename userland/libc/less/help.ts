// What `h` shows in less.

export const HELP = `
                   SUMMARY OF LESS COMMANDS        (press q to leave this)

      Commands marked with * may be preceded by a number, N.

  h  H                 This help.
  q  :q  Q  ZZ         Leave.

                           MOVING

  e  ^E  j  ^N  CR  *  Forward  one line   (or N lines).
  y  ^Y  k  ^K  ^P  *  Backward one line   (or N lines).
  f  ^F  ^V  SPACE  *  Forward  one window (or N lines).
  b  ^B  ESC-v      *  Backward one window (or N lines).
  z                 *  Forward  one window (and set the window to N).
  w                 *  Backward one window (and set the window to N).
  d  ^D             *  Forward  half a window (and set half a window to N).
  u  ^U             *  Backward half a window (and set half a window to N).
  RIGHT  LEFT       *  Half a screen (or N columns) to the right, to the left.
  F                    Forward for ever, as "tail -f"; Ctrl-C ends it.
  r  ^R  ^L            Paint the screen again.

                          SEARCHING

  /pattern          *  Search forward  for the Nth line that matches.
  ?pattern          *  Search backward for the Nth line that matches.
                       A pattern that begins with ! searches lines that do not match.
  n  N              *  Repeat the search; in the other direction.
  ESC-u                Show matches in reverse video, or no more.
  &pattern             Show only lines that match; all when the pattern is empty.

                           JUMPING

  g  <  ESC-<       *  Go to the first line (or line N).
  G  >  ESC->       *  Go to the last line (or line N).
  p  %              *  Go to N percent into the file.
  mX  'X               Mark the place with the letter X; go back to it. '' is where you were.

                            FILES

  :n  :p            *  The (N-th) next file; the previous one.
  :x                *  The first (or N-th) file.
  :d                   Take this file from the list.
  :e NAME              Look at another file.
  =  ^G  :f            Name, lines and place of the file.

                           OPTIONS

  -X                   Turn an option over: N line numbers, S chop long lines, R colours,
                       i I case in searches, s squeeze blank lines, m M prompts, ~ tildes.
  !command             Run a command with a shell.
`;
