# SPDX-License-Identifier: MIT
"""A grammar of short stories: somebody, a problem, help, a happy end.

Every word of it was written for this project. story(rng) gives one story; the same generator state gives the same story.

What must stay true: a story has one hero and one friend of different kinds and names; whatever is drawn once (names,
kinds, pronouns, things, places) is the same wherever it is spoken of; a pronoun stands for the hero unless the friend
is the subject of the same sentence. Sentences are templates:
    {slot}     a word drawn once for the story            [a|b|c]   a choice made on the spot
    {h} {him} {his} {self}     the hero as a pronoun      {f} {fhim} {fhis} the friend; {h+} and so on: capital letter
    a_ before a slot or word   becomes "a" or "an"
"""
import random
import re
import sys

BOYS = ("Tom Ben Max Sam Tim Leo Jack Finn Hugo Oscar Felix Peter Paul Otto Theo Noah Billy Henry Charlie Robin Simon "
        "Adam Oliver Jonas").split()
GIRLS = ("Lily Anna Mia Lucy Emma Rosie Daisy Ella Nina Sara Molly Clara Ruby Zoe Grace Alice Nora Ivy Polly Maya Sophie "
         "Betty Luna Tilly").split()
ANIMALS = "cat dog bear rabbit fox mouse duck frog pig goat sheep pony owl turtle hedgehog squirrel".split()
SWIMMERS = ("duck", "frog", "turtle")
ADJ = "little small young happy kind brave clever cheerful gentle quiet shy funny".split()
FADJ = "old wise friendly kind big clever gentle helpful".split()
COLOR = "red blue green yellow white pink orange purple".split()
PLACE = ["by the lake", "near the forest", "on a farm", "by the sea", "in a small village", "on a green hill",
         "near the river", "at the edge of the town", "in a quiet valley", "behind the old mill"]
LIKE = ["play in the garden", "sing songs", "dance in the sun", "look at the stars", "tell funny stories", "draw pictures",
        "pick flowers", "play outside", "count the clouds", "listen to the birds", "bake cookies", "play hide and seek"]
TOY = "ball kite hat scarf bell drum boat whistle basket book".split()
FRUIT = "apple pear plum cherry peach".split()

OPEN = [
    "Once upon a time there was a_ {adj} {kind} named {H}. {H} lived {place}.",
    "Once upon a time, there was a_ {adj} {kind} named {H}. {h+} lived {place}.",
    "Once upon a time there was a_ {adj} {kind} [called|named] {H}.",
    "Once upon a time, a_ {adj} {kind} named {H} lived {place}.",
    "Once upon a time a_ {adj} {kind} lived {place}. {his+} name was {H}.",
    "Once upon a time, in a house {place}, there lived a_ {adj} {kind} named {H}.",
    "There was once a_ {adj} {kind} named {H} who lived {place}.",
    "There was a_ {adj} {kind} named {H}. {h+} lived {place}.",
    "There once was a_ {adj} {kind} who lived {place}. {his+} name was {H}.",
    "Long ago, there was a_ {adj} {kind} named {H}. {h+} lived {place}.",
    "{H} was a_ {adj} {kind}. {h+} lived {place}.",
    "{H} was a_ {adj} {kind} who lived {place}.",
    "In a house {place} there lived a_ {adj} {kind} named {H}.",
    "A_ {adj} {kind} named {H} lived {place}.",
]
# Stories that begin in the middle of the day: no second "One day" may follow.
OPEN_DAY = [
    "One day, a_ {adj} {kind} named {H} went for a walk {place}.",
    "One day a_ {adj} {kind} named {H} was playing {place}.",
    "One [sunny|bright|fine] [morning|day], a_ {adj} {kind} named {H} [went outside to play|went for a walk|was playing {place}].",
    "It was a [bright|sunny|fine] [morning|day]. A_ {adj} {kind} named {H} was playing {place}.",
    "One day, {H} the {kind} went for a walk {place}.",
]
LIKES = [
    "{h+} loved to {like}.", "{h+} liked to {like}.", "Every day, {H} liked to {like}.", "Most of all, {h} loved to {like}.",
    "{h+} loved to {like} all day long.", "{H} loved to {like} and to laugh with {his} friends.",
    "{h+} was always happy when {h} could {like}.", "Everybody liked {H} because {h} was so {good}.",
    "{h+} had a warm bed and a small lamp.", "{h+} lived there with {his} {parent} and was very happy.",
]
PARENT = ["mother", "father", "grandmother"]
GOOD = ["kind", "nice", "friendly", "cheerful"]
DAY = ["One day,", "One [sunny|bright|fine] [morning|day],", "One [morning|afternoon],", "One summer day,"]

MEET = [
    "Just then, a_ {fadj} {fkind} named {F} came [by|along].",
    "Then a_ {fadj} {fkind} named {F} came along the path.",
    "Soon a_ {fadj} {fkind} came by. {fhis+} name was {F}.",
    "A_ {fadj} {fkind} named {F} saw {him} and came closer.",
    "After a while, {h} met a_ {fadj} {fkind} named {F}.",
    "A_ {fadj} {fkind} named {F} heard {him} and came to see.",
    "Luckily, a_ {fadj} {fkind} named {F} was [nearby|close by].",
]
MEET_KNOWN = [
    "{his+} friend {F}, a_ {fadj} {fkind}, was nearby and came at once.",
    "Then {his} friend {F}, a_ {fadj} {fkind}, came along the path.",
    "Just then, {h} saw {his} friend {F}, a_ {fadj} {fkind}.",
]
SAD = [
    "{H} was very sad.", "{H} felt sad and sat down on a stone.", "{H} began to cry.", "{h+} was so sad that {h} began to cry.",
    "\"Oh no!\" cried {H}.", "\"Oh dear!\" said {H}. \"What can I do?\"", "{H} did not know what to do.",
    "A tear ran down {his} cheek.", "\"Oh no, what now?\" said {H}.",
]
ASK = [
    "\"What is wrong?\" asked {F}.", "\"Why are you so sad?\" asked {F}.", "\"Hello, {H}! Why are you sad?\" asked {F}.",
    "\"Hello!\" said {F}. \"Can I help you?\"", "\"Do not be sad,\" said {F}. \"Tell me what is wrong.\"",
    "{F} asked {H} what was wrong.",
]
OFFER = [
    "\"Do not worry,\" said {F}. \"I will help you.\"", "\"I can help you,\" said {F} with a smile.",
    "\"Let us do it together,\" said {F}.", "\"I know what to do,\" said {F}.", "{F} thought for a moment. \"I have an idea!\" {f} said.",
    "\"Friends help each other,\" said {F}.",
]
THANKS = [
    "\"Thank you, {F}!\" said {H}.", "\"Thank you so much, {F}!\" cried {H}.", "\"Thank you, {F}! You are a good friend,\" said {H}.",
    "{H} thanked {F} and gave {fhim} a big hug.", "{H} gave {F} a big hug.", "\"You are the best friend in the world,\" said {H} to {F}.",
    "{H} was so happy that {h} [danced around|hugged] {F}.", "\"You are very kind,\" said {H}, and {F} smiled.",
]
END = [
    "From that day on, {H} and {F} were best friends.", "From that day on, {H} and {F} played together every day.",
    "After that, {H} and {F} [met|played together] every day.", "{H} and {F} became the best of friends.",
    "And so {H} and {F} became friends.", "Then they laughed and played until the sun went down.",
    "{H} and {F} sat together in the grass and watched the sun go down.",
    "That night, {H} went to bed with a smile.", "That night, {H} slept very well.", "{H} went home and was very happy.",
    "{H} never forgot how {F} had helped {him}.", "{H} and {F} went home together, hand in hand.",
    "In the evening, {H} told {his} {parent} all about {F}.",
    "Then {H} and {F} shared some [cake|bread and honey|warm milk] and were happy.",
]
LAST = [
    "", "", "", "", "", "The end.", "The end.", "And they lived happily ever after.",
    "It was a very good day.", "What a wonderful day it was!", "It is good to have a friend.",
    "{H} had learned that it is good to ask for help.", "{H} had learned that a friend makes everything easier.",
]

# A plot draws its own slots, then tells its beats in order. A beat is a list of alternatives, or a name of a list above.
FOUND = ["under a big tree", "behind a bush", "in the tall grass", "under the bridge", "behind the house", "next to the well",
         "under an old bench", "behind a big stone"]
PLOTS = [
    ({"thing": TOY, "found": FOUND}, [
        ["{day} {H} could not find {his} {color} {thing}.", "{day} {H} lost {his} {color} {thing}.",
         "{day} {H} saw that {his} {color} {thing} was gone.", "{day} {H} wanted to play with {his} {color} {thing}, but it was gone."],
        ["{h+} looked [under the bed|behind the door|in every room], but it was not there.",
         "{h+} looked everywhere, but {h} could not find the {thing}.", "{h+} looked here and there, but the {thing} was gone."],
        "SAD", "MEET", "ASK",
        ["\"I lost my {color} {thing},\" said {H}.", "\"My {color} {thing} is gone,\" said {H}.",
         "\"I cannot find my {color} {thing},\" said {H}."],
        ["\"Let us look for it together,\" said {F}.", "\"I will help you look for it,\" said {F}.",
         "\"Do not worry, we will find it,\" said {F}."],
        ["They looked [near the pond|by the fence|in the garden] first, but it was not there.", "They looked all over the garden.",
         "They walked along the path and looked left and right.", ""],
        ["Then {F} saw something {color} {found}. It was the {thing}!", "At last they found the {color} {thing} {found}.",
         "{found+}, {F} found the {color} {thing}.", "\"Look!\" cried {F}. The {color} {thing} was {found}."],
        "THANKS",
        ["They played with the {thing} all day.", "{H} held the {thing} very tight.", ""],
    ]),
    ({"thing": TOY, "fix": ["some glue", "a piece of string", "a little tape", "a needle and thread"]}, [
        ["{day} {H} dropped {his} {color} {thing}, and it broke.", "{day} {H} fell over a stone and broke {his} {color} {thing}.",
         "{day} the wind blew {his} {color} {thing} away, and it broke."],
        "SAD", "MEET", "ASK",
        ["\"My {thing} is broken,\" said {H}.", "\"I broke my {color} {thing},\" said {H}.", "{H} showed {fhim} the broken {thing}."],
        ["\"We can fix it,\" said {F}.", "\"Do not worry,\" said {F}. \"We can fix it together.\"", "\"Let me see,\" said {F}. \"I can fix that.\""],
        ["{F} went home and came back with {fix}.", "{F} had {fix} in {fhis} bag.", "{F} brought {fix}."],
        ["They worked together until the {thing} was as good as new.", "They used {fix}, and soon the {thing} was whole again.",
         "After a while, the {thing} was as good as new."],
        "THANKS",
        ["Now {H} liked the {thing} even more.", "{H} and {F} played with the {thing} until evening.", ""],
    ]),
    ({"trap": ["a deep hole", "the mud", "a thorny bush", "a hollow log"], "tool": ["a long rope", "a strong branch", "a long stick"]}, [
        ["{day} {H} ran too fast and got stuck in {trap}.", "{day} {H} was not careful and fell into {trap}.",
         "{day} {H} did not look where {h} was going and got stuck in {trap}."],
        ["{h+} pulled and pulled, but {h} could not get out.", "{h+} tried to get out, but it was too hard.",
         "{h+} tried again and again, but {h} could not get out."],
        ["\"Help! Help!\" cried {H}.", "\"Please help me!\" cried {H}.", "{H} called for help as loud as {h} could."],
        "MEET",
        ["\"Please help me out,\" said {H}. \"I am stuck.\"", "\"I am stuck in {trap},\" said {H}.", "\"Can you help me?\" asked {H}."],
        "OFFER",
        ["{F} found {tool} and held it out to {H}.", "{F} went away and came back with {tool}.", "{F} ran to get {tool}."],
        ["\"Hold on tight!\" said {F}, and pulled with all {fhis} strength.", "{H} held on tight, and {F} pulled and pulled.",
         "{F} pulled as hard as {f} could."],
        ["At last {H} was free.", "Pop! {H} was free again.", "Soon {H} was out and safe."],
        "THANKS",
        ["After that, {H} always looked where {h} was going.", "{H} promised to be more careful.", ""],
    ]),
    ({"fear": ["dark", "thunder", "wind", "storm"], "light": ["a small lamp", "a warm blanket", "a soft pillow"]}, [
        ["There was only one thing that {H} did not like. {h+} was afraid of the {fear}.", "But {H} was afraid of the {fear}.",
         "But there was one problem. {H} was afraid of the {fear}."],
        ["One night, {h} could not sleep.", "One night, {h} hid under the bed.", "One night, {h} lay in bed and shook with fear."],
        ["{his+} friend {F}, a_ {fadj} {fkind}, came to see {him}.", "{his+} friend {F}, a_ {fadj} {fkind}, knocked at the door.",
         "A_ {fadj} {fkind} named {F} lived next door and heard {him} cry."],
        ["\"Why do you not sleep?\" asked {F}.", "\"What is wrong?\" asked {F}.", "{F} asked {H} what was wrong."],
        ["\"I am afraid of the {fear},\" said {H}.", "\"The {fear} scares me,\" said {H} in a small voice."],
        ["\"The {fear} cannot hurt you,\" said {F}. \"I will stay with you.\"", "\"I was afraid of the {fear} too,\" said {F}. \"You are not alone.\"",
         "\"Do not be afraid,\" said {F}. \"I am here.\""],
        ["{f+} gave {H} {light}.", "{F} brought {light} and sat down next to {H}.", "Then {F} gave {him} {light} and sang a quiet song."],
        ["Soon {H} was not afraid any more.", "Little by little, {H} felt better.", "{H} felt warm and safe."],
        "THANKS",
        ["After that, {H} was not afraid of the {fear} again.", "Now {H} was brave, even in the {fear}."],
    ]),
    ({"sign": ["a tall tree", "a white gate", "an old tower", "a little bridge"]}, [
        ["{day} {H} walked too far into the forest and lost {his} way.", "{day} {H} followed a_ {color} butterfly and lost {his} way.",
         "{day} {H} went for a long walk and could not find the way home."],
        ["All the trees looked the same.", "It was getting late, and {h} was all alone.", "{h+} walked left and {h} walked right, but nothing looked like home."],
        "SAD", "MEET", "ASK",
        ["\"I am lost,\" said {H}. \"I want to go home.\"", "\"I cannot find the way home,\" said {H}.", "\"I lost my way,\" said {H}."],
        ["\"I know this forest well,\" said {F}. \"Come with me.\"", "\"Do not worry,\" said {F}. \"I will take you home.\"", "\"Follow me,\" said {F}. \"I know the way.\""],
        ["They walked side by side until they came to {sign}.", "Together they walked past {sign}.", "{F} took {H} by the hand, and they walked to {sign}."],
        ["From there, {H} could see {his} house.", "Behind it was {his} house.", "Then {H} saw a light. It was {his} own house!"],
        "THANKS",
        ["{his+} {parent} was very glad to see {him} again.", "{H} was so glad to be home again.", ""],
    ]),
    ({"food": ["bread", "soup", "cake", "porridge"]}, [
        ["{day} {H} was very hungry, but there was nothing to eat in the house.", "{day} {H} wanted to eat, but {his} basket was empty.",
         "One winter day, {H} had nothing left to eat."],
        ["{his+} tummy made a loud noise.", "{h+} looked in every pot, but all of them were empty.", "{h+} looked for food, but {h} found nothing."],
        "SAD", "MEET", "ASK",
        ["\"I am so hungry,\" said {H}.", "\"I have nothing to eat,\" said {H}.", "\"There is no food in my house,\" said {H}."],
        ["\"I have enough for two,\" said {F}.", "\"Come to my house,\" said {F}. \"I have some {food}.\"", "\"Then let us share my {food},\" said {F}."],
        ["{F} gave {H} a lot of {food}.", "They sat down at the table and ate the {food} together.", "{F} shared the {food} with {H}."],
        ["{H} ate until {h} was full.", "It tasted very good.", "Soon {H} was not hungry any more."],
        "THANKS",
        ["The next day, {H} brought {F} some [flowers|nuts|berries].", "After that, they always shared their food.", ""],
    ]),
    ({"bird": ["a baby bird", "a tiny bird", "a little yellow bird"], "nest": ["old oak", "apple tree", "tall tree"]}, [
        ["{day} {H} found {bird} in the grass.", "{day} {H} saw {bird} on the ground.", "{day} {H} heard a small sound. It was {bird} in the grass."],
        ["It had fallen out of its nest.", "It could not fly yet, and its nest was high up in the {nest}.", "It wanted to go back to its nest."],
        ["{H} wanted to help, but {h} could not reach the nest.", "{H} tried to climb the {nest}, but it was too high.", "But the nest was too high for {H}."],
        "MEET",
        ["\"Can you help me?\" asked {H}. \"This bird must go back to its nest.\"", "\"Please help us,\" said {H}. \"The nest is too high.\""],
        "OFFER",
        ["{F} let {H} stand on {fhis} back.", "{F} brought a ladder and held it for {H}.", "{F} held {H} up as high as {f} could."],
        ["{H} put the bird back into its nest with great care.", "Very slowly, {H} put the bird back into its nest."],
        ["The bird was safe and began to sing.", "The mother bird came back and sang a song for them.", "The little bird was happy to be home."],
        "THANKS",
        ["Every morning, the bird sang for {H} and {F}.", "The next day, the bird came to {his} window and sang.", ""],
    ]),
    ({"fruit": FRUIT}, [
        ["{day} {H} saw a big, ripe {fruit} on a tree.", "{day} {H} wanted to eat a_ {fruit} from the tall tree."],
        ["{h+} jumped and jumped, but {h} was too small.", "But the {fruit} was too high, and {h} could not reach it.", "{h+} tried to climb the tree, but {h} slid down again."],
        "SAD", "MEET", "ASK",
        ["\"I cannot reach the {fruit},\" said {H}.", "\"I am too small to reach the {fruit},\" said {H}."],
        "OFFER",
        ["{H} stood on the back of {F}.", "{F} shook the tree with all {fhis} strength.", "{F} held {H} up high."],
        ["Now the {fruit} was theirs.", "Soon they had the {fruit}.", "At last {H} had the {fruit} in {his} hands."],
        ["They cut the {fruit} in two and shared it.", "{H} gave half of the {fruit} to {F}.", "They shared the {fruit} under the tree."],
        ["It was the sweetest {fruit} in the world.", "The {fruit} was sweet and good.", ""],
        "THANKS",
    ]),
    ({"skill": ["swim", "ride a bike", "read", "whistle", "skate", "play the flute"]}, [
        ["But there was one thing {H} could not do. {h+} could not {skill}.", "{H} wanted to learn to {skill}, but it was very hard.",
         "More than anything, {H} wanted to learn to {skill}."],
        ["{day} {h} tried and tried, but it did not work.", "{day} {h} tried again, but {h} could not do it.", "{day} {h} tried for a long time. It was no use."],
        ["The others laughed at {him}.", "\"I will never learn it,\" said {H}.", "{H} wanted to give up."],
        "MEET",
        ["\"I want to learn to {skill},\" said {H}.", "\"Can you show me how to {skill}?\" asked {H}.", "\"It is so hard to {skill},\" said {H}."],
        ["\"I will show you,\" said {F}. \"It is not hard.\"", "\"Do not give up,\" said {F}. \"I will teach you.\"", "\"Watch me first,\" said {F}. \"Then you try.\""],
        ["They practiced every day.", "{H} tried again, and {F} stayed close by.", "Day after day, {F} helped {H} a little more."],
        ["At last, {H} could {skill} all by {self}.", "And then, one day, {H} could {skill}!", "Soon {H} could {skill} very well."],
        ["\"Look at me!\" cried {H}. \"I can {skill}!\"", "\"I did it!\" cried {H}.", "\"Well done!\" said {F}."],
        "THANKS",
    ]),
    ({"game": ["chess", "ball", "tag", "catch"]}, [
        ["{H} was new in the town and had no friends.", "But {H} was lonely, for {h} had no friends.", "But {H} had nobody to play with."],
        ["{day} {h} sat alone on a bench and watched the others play.", "{day} {h} stood at the window and felt very alone.", "{day} {h} went to the park all by {self}."],
        "SAD", "MEET",
        ["\"Hello! Why do you sit here alone?\" asked {F}.", "\"Hello! What is your name?\" asked {F}."],
        ["\"My name is {H}, and I have no friends,\" said {H}.", "\"I am {H},\" said {H} in a quiet voice. \"I have nobody to play with.\""],
        ["\"Then I will be your friend,\" said {F}.", "\"Do you want to play {game} with me?\" asked {F}.", "\"Come and play with me,\" said {F}."],
        ["{H} smiled for the first time that day.", "{H} jumped up with joy.", "\"Yes, please!\" said {H}."],
        ["They played {game} all afternoon.", "They played {game} and laughed a lot."],
        "THANKS",
    ]),
    ({"thing": TOY}, [
        ["{day} {H} and {his} friend {F}, a_ {fadj} {fkind}, found a_ {color} {thing} in the grass.",
         "{H} had a friend named {F}, a_ {fadj} {fkind}. {day} they found a_ {color} {thing}.",
         "{day} {H} was playing with {his} friend {F}, a_ {fadj} {fkind}. They had only one {color} {thing}."],
        ["Both of them wanted to have it.", "\"It is mine!\" said {H}. \"No, it is mine!\" said {F}.", "{H} wanted the {thing}, and {F} wanted it too."],
        ["They pulled and pulled, and the {thing} fell into the mud.", "They were so angry that they did not talk any more.", "They sat back to back and did not look at each other."],
        ["Now {H} was sad.", "{H} sat down and thought about it.", "It was no fun to be alone."],
        ["\"I am sorry, {F},\" said {H}. \"You can have it first.\"", "{H} went to {F} and said, \"I am sorry.\"", "\"I am sorry,\" said {H}. \"Let us share the {thing}.\""],
        ["\"I am sorry too,\" said {F}.", "\"Let us play together,\" said {F}.", "{F} smiled. \"We can both play with it,\" {f} said."],
        ["They washed the {thing} and took turns.", "So they shared the {color} {thing} and took turns.", "Then they played with the {thing} together."],
        ["It was much more fun that way.", "Sharing was much more fun.", ""],
    ]),
    ({"shelter": ["a small house", "a dry cave", "a cozy hut", "a warm barn"], "drink": ["hot soup", "warm tea", "hot milk", "warm cocoa"]}, [
        ["One [autumn|spring] day, it began to rain very hard, and {H} was far from home.", "One winter day, {H} was out in the snow and felt very cold.",
         "One day, dark clouds came, and soon {H} was wet from head to foot."],
        ["{his+} feet were cold, and {h} wanted to go home.", "The wind was strong, and {h} could hardly walk.", "{h+} looked for a dry place, but {h} found none."],
        "SAD",
        ["Then {h} saw a light. It came from {shelter}.", "At last {h} came to {shelter} and knocked at the door.", "Behind some trees there was {shelter}."],
        ["A_ {fadj} {fkind} named {F} opened the door.", "A_ {fadj} {fkind} named {F} lived there.", "There lived a_ {fadj} {fkind} named {F}."],
        ["\"Come in, come in!\" said {F}. \"You must be cold.\"", "\"Come inside and get warm,\" said {F}.", "\"You are all wet!\" said {F}. \"Please come in.\""],
        ["{F} gave {H} some {drink} and a blanket.", "{H} sat by the fire and drank some {drink}.", "They sat by the fire and drank {drink}."],
        ["Soon {H} was warm and dry.", "{H} felt warm again.", "Outside it was cold, but inside it was warm."],
        "THANKS",
        ["When the sky was clear again, {H} went home.", "In the morning, the sun was shining again.", ""],
    ]),
    ({"gift": ["cake", "picture", "crown of flowers", "necklace", "card"]}, [
        ["{day} {H} wanted to make a present for {his} {parent}.", "{day} it was the birthday of {his} {parent}, and {H} had no present."],
        ["But {H} had no money to buy anything.", "{h+} thought and thought, but {h} had no idea.", "{h+} looked in the shops, but everything cost too much."],
        "SAD", "MEET", "ASK",
        ["\"I need a present, but I do not have one,\" said {H}.", "\"It is a special day, and I have no present,\" said {H}."],
        ["\"We can make a {gift},\" said {F}.", "\"Why not make a {gift}?\" said {F}. \"I will help you.\"", "\"I have an idea,\" said {F}. \"Let us make a {gift}.\""],
        ["They worked all [day|morning|afternoon].", "They went to work at once.", "{F} showed {H} how to do it."],
        ["In the end, they had a beautiful {gift}.", "When the {gift} was ready, it looked wonderful.", "It was the most beautiful {gift} in the whole town."],
        ["\"What a lovely {gift}!\" everybody said.", "Everybody loved the {gift}.", "The {gift} made everybody smile."],
        "THANKS",
    ]),
    ({"cure": ["warm soup", "sweet tea", "fresh berries", "honey"]}, [
        ["{H} had a good friend, a_ {fadj} {fkind} named {F}. {day} {F} did not come out to play.",
         "{his+} best friend was a_ {fadj} {fkind} named {F}. {day} {F} did not come to play."],
        ["{H} waited and waited, but {F} did not come.", "\"Where is {F}?\" thought {H}.", "{H} was worried."],
        ["So {H} went to the house of {F} and knocked at the door.", "{H} ran to the house of {F} to see what was wrong."],
        ["{F} was in bed and felt very sick.", "{F} was sick and could not get up.", "There was {F}, sick in bed."],
        ["\"Oh dear!\" said {H}. \"I will take care of you.\"", "\"Poor {F}!\" said {H}. \"I will help you.\"", "\"Do not worry,\" said {H}. \"I will help you to get well.\""],
        ["{H} ran home and came back with some {cure}.", "{H} made some {cure} for {F}.", "{H} brought {fhim} some {cure}."],
        ["Then {h} told {F} a funny story.", "Then {h} sat by the bed and sang a song.", "{H} stayed all day."],
        ["The next morning, {F} felt much better.", "After a few days, {F} was well again.", "Soon {F} could laugh again."],
        ["\"Thank you, {H}! You are a good friend,\" said {F}.", "\"Thank you so much, {H}!\" said {F}.", "{F} thanked {H} and gave {him} a big hug."],
        ["Now they could play together again.", "{H} was very glad.", ""],
    ]),
    ({"prize": ["a golden cup", "a big cake", "a blue ribbon", "a basket of fruit"]}, [
        ["{day} there was a big race in the town. The prize was {prize}.", "{day} there was a race around the lake, and the prize was {prize}."],
        ["{H} wanted to win the race.", "{H} could run very fast and hoped to win.", "{H} had trained for a long time."],
        ["\"Ready, set, go!\" And off they ran.", "They all began to run, and {H} was in front.", "{H} ran as fast as {h} could."],
        ["Then {h} saw a_ {fadj} {fkind} named {F} who had fallen down.", "Next to {him} ran a_ {fadj} {fkind} named {F}. Suddenly, {F} fell down."],
        ["\"Ouch! My leg hurts,\" cried {F}.", "{F} could not get up again.", "\"I cannot walk,\" said {F}."],
        ["{H} stopped at once, for a friend was more important than {prize}.", "{H} wanted to win, but {h} stopped to help.", "{H} turned around and ran back to {F}."],
        ["\"I will help you,\" said {H}. \"We can walk together.\"", "\"Lean on me,\" said {H}.", "\"Come, take my hand,\" said {H}."],
        ["Together they went to the end of the race. They were the last.", "Side by side, they came in last, but they did not mind."],
        ["Everybody cheered for them, and {H} got {prize} for being so kind.", "Everybody clapped, and they both got {prize}."],
        ["\"Thank you, {H},\" said {F}.", "{F} gave {H} a big hug.", "{H} smiled at {F}, and {F} smiled too."],
    ]),
    ({"plant": ["a rose", "a sunflower", "an apple tree", "a tulip", "a bean"]}, [
        ["{H} had {plant} in {his} garden. {day} {h} saw that it was dry and sad.", "{day} {H} planted {plant} in the garden, but it did not grow."],
        ["There had been no rain for many days.", "The ground was hard and dry.", "The well was empty, and the river was far away."],
        "SAD", "MEET", "ASK",
        ["\"My plant needs water,\" said {H}.", "\"My plant will die,\" said {H}. \"I have no water.\"", "\"There is no water for my plant,\" said {H}."],
        ["\"We can get water from the lake,\" said {F}.", "\"Let us carry water from the river,\" said {F}.", "\"I have a big bucket,\" said {F}. \"I will help you.\""],
        ["Every morning, they carried water to the garden.", "They carried water to the plant, day after day.", "They carried one bucket after another."],
        ["After a week, the plant was green again.", "Soon the plant began to grow.", "One morning, there was a beautiful flower."],
        "THANKS",
        ["It was the finest garden of all.", "Now the garden was full of color.", ""],
    ]),
    ({"build": ["tower", "castle", "little house", "bridge", "sandcastle"]}, [
        ["{day} {H} wanted to build a {build}.", "{day} {H} was building a {build} all by {self}."],
        ["But again and again, the {build} fell down.", "But a strong wind came, and the {build} fell down.", "But then the {build} fell down with a crash."],
        "SAD", "MEET", "ASK",
        ["\"My {build} fell down,\" said {H}.", "\"I want to build a {build}, but it is too hard,\" said {H}."],
        ["\"Two can do more than one,\" said {F}.", "\"Let us build a new one together,\" said {F}.", "\"We will build a better one,\" said {F}."],
        ["{F} held it, and {H} put on one piece after another.", "{H} worked on one side, and {F} worked on the other.", "They worked hard and did not stop."],
        ["In the evening, the {build} was ready.", "Soon they had a big, strong {build}.", "This time, the {build} did not fall down."],
        ["It was the best {build} of all.", "Everybody came to see the {build}.", ""],
        "THANKS",
    ]),
    ({"noise": ["a strange noise", "a loud noise", "a funny sound"], "hidden": ["behind the door", "in the barn", "under the stairs", "in the bushes"]}, [
        ["{day} {H} heard {noise} {hidden}.", "{day} there was {noise} {hidden}, and {H} heard it."],
        ["\"What is that?\" thought {H}.", "{H} was a little afraid.", "{H} wanted to run away."],
        ["But {h} took a deep breath and went to look.", "But {h} was brave and went closer.", "Slowly, {h} went closer."],
        ["It was a_ {fadj} {fkind} named {F}.", "There sat a_ {fadj} {fkind}. {fhis+} name was {F}.", "A_ {fadj} {fkind} was {hidden}. {fhis+} name was {F}."],
        ["\"Please help me,\" said {F}. \"I hurt my foot.\"", "\"My foot hurts,\" said {F}, \"and I cannot walk.\"", "\"I fell down and hurt my foot,\" said {F}."],
        ["\"Do not worry,\" said {H}. \"I will help you.\"", "\"Poor {F}!\" said {H}. \"Let me help you.\""],
        ["{H} brought [water and bread|a soft blanket|a clean cloth] for {F}.", "{H} washed the foot and put a [white|clean] cloth around it.", "{H} took care of {F} until the foot was well."],
        ["The next day, {F} could walk again.", "Soon {F} felt much better.", "After a few days, {F} could run and jump again."],
        ["\"Thank you, {H}! You are very kind,\" said {F}.", "{F} thanked {H} and gave {him} a big hug.", "\"Thank you so much!\" said {F}."],
    ]),
    ({"boat": ["small boat", "wooden raft"], "island": ["a tiny island", "an island with flowers", "an island full of birds"]}, [
        ["{day} {H} saw {island} in the middle of the lake.", "{day} {H} dreamed of going to {island}.", "In the middle of the lake there was {island}."],
        ["{h+} wanted to go there, but {h} had no boat.", "But {h} could not swim so far.", "But the water was deep, and {h} had no boat."],
        "SAD", "MEET", "ASK",
        ["\"I want to see the island,\" said {H}.", "\"I want to go to the island, but I have no boat,\" said {H}."],
        ["\"I have a {boat},\" said {F}. \"Come with me!\"", "\"We can build a {boat},\" said {F}.", "\"Let us go there with a {boat},\" said {F}."],
        ["They crossed the lake in the {boat}.", "Soon the {boat} was on the water, and they sang a song.", "The {boat} went up and down on the waves."],
        ["On the island, they found [sweet berries|many flowers|a soft place to rest].", "The island was even more beautiful than {H} had thought.", "They walked around the island and looked at everything."],
        "THANKS",
        ["Then they went back home.", "The next week, they went there again.", ""],
    ]),
]
SHARED = {"SAD": SAD, "ASK": ASK, "OFFER": OFFER, "THANKS": THANKS}
# What the endings of a plot must not say: where the friend is an old friend, where the hero goes home or it is night.
BEGINS_FRIENDSHIP = ("best friends", "became")
ENDS_DAY = ("sun went down", "sun go down", "evening", "night", "home")
GOES_HOME = {"fear", "sign", "shelter", "boat", "cure"}
# Plots that may break into a day that has begun; where the friend is an old one; where the hero has no friend yet.
SUDDEN = {"found", "fix", "trap", "bird", "fruit", "noise"}
OLD_FRIEND = {"fear", "cure"}
ALONE = {"game"}


def fill(rng, template, slots):
    """Choices first, then slots, then articles and the space between."""
    text = re.sub(r"\[([^]]*)\]", lambda m: rng.choice(m.group(1).split("|")), template)
    while "{" in text:
        text = re.sub(r"\{(\w+)(\+?)\}", lambda m: slots[m.group(1)][:1].upper() + slots[m.group(1)][1:] if m.group(2)
                      else slots[m.group(1)], text)
        text = re.sub(r"\[([^]]*)\]", lambda m: rng.choice(m.group(1).split("|")), text)
    return re.sub(r"\b([aA])_ (\w)", lambda m: m.group(1) + ("n " if m.group(2) in "aeiou" else " ") + m.group(2), text)


def person(rng, taken, part):
    """A name, a kind and the pronouns; a child's kind follows from the name. `part` of the names are in question."""
    male = rng.random() < 0.5
    name = rng.choice([n for n in (BOYS if male else GIRLS)[part] if n not in taken])
    child = ("boy" if male else "girl")
    kind = child if child not in taken and rng.random() < 0.3 else rng.choice([k for k in ANIMALS if k not in taken])
    return name, kind, ("he", "him", "his", "himself") if male else ("she", "her", "her", "herself")


def story(rng, apart=True):
    """`apart`: heroes have names of the first half of a list, friends of the second; otherwise any."""
    halves = (slice(12), slice(12, None)) if apart else (slice(None), slice(None))
    hero, kind, (h, him, his, oneself) = person(rng, (), halves[0])
    friend, fkind, (f, fhim, fhis, _) = person(rng, (hero, kind, "boy", "girl"), halves[1])
    own, beats = rng.choice(PLOTS)
    plot = set(own)
    slots = dict(H=hero, kind=kind, h=h, him=him, his=his, self=oneself, F=friend, fkind=fkind, f=f, fhim=fhim, fhis=fhis,
                 adj=rng.choice(ADJ), fadj=rng.choice(FADJ), color=rng.choice(COLOR), place=rng.choice(PLACE),
                 like=rng.choice(LIKE), good=rng.choice(GOOD), parent=rng.choice(PARENT))
    slots.update((k, rng.choice([x for x in v if x != "swim" or kind not in SWIMMERS])) for k, v in own.items())
    known = rng.random() < 0.15 and not plot & ALONE
    meet = MEET_KNOWN if known else MEET
    met = known or plot & OLD_FRIEND or "MEET" not in beats and "THANKS" in beats or plot == {"thing"}
    began = rng.random() < 0.3 and bool(plot & SUDDEN)
    slots["day"] = rng.choice(["Suddenly,", "After a while,"]) if began else rng.choice(DAY)
    parts = [rng.choice(OPEN_DAY if began else OPEN)]
    if not began and rng.random() < 0.8:
        parts.append(rng.choice([x for x in LIKES if not plot & ALONE or "friend" not in x and "Everybody" not in x]))
    for beat in beats:
        parts.append(rng.choice(meet if beat == "MEET" else SHARED[beat] if isinstance(beat, str) else beat))
    helped = "THANKS" in beats
    unfit = (BEGINS_FRIENDSHIP if met else ()) + (ENDS_DAY if plot & GOES_HOME else ()) + (() if helped else ("helped",))
    parts.append(rng.choice([e for e in END if not any(u in e for u in unfit)]))
    parts.append(rng.choice([e for e in LAST if helped or "learned" not in e]))
    return " ".join(fill(rng, p, slots) for p in parts if p)


def stories(seed, count, apart=True):
    rng = random.Random(seed)
    for _ in range(count):
        yield story(rng, apart)


def pattern_count():
    lists = [OPEN, OPEN_DAY, LIKES, MEET, MEET_KNOWN, SAD, ASK, OFFER, THANKS, END, LAST]
    lists += [b for _, beats in PLOTS for b in beats if not isinstance(b, str)]
    return sum(len({p for p in x if p}) for x in lists)


if __name__ == "__main__":
    for text in stories(int(sys.argv[1]) if len(sys.argv) > 1 else 1, int(sys.argv[2]) if len(sys.argv) > 2 else 5):
        print(text + "\n")
    print(pattern_count(), "patterns", file=sys.stderr)
