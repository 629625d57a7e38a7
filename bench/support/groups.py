"""Groups of people, by lists of names or from a file.

A name is a crude stand-in for what a face looks like, and can be wrong: people marry, move and are adopted, and a
name is a man's here and a woman's there. To see a difference between groups it is enough that most of a list are right.
Whoever knows better who is in a group brings a file (`read_groups`).
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

EAST_ASIAN, WOMEN = "East Asian names", "women's names"

_FAMILY = """
An Cha Chan Chang Chen Cheung Cho Choi Chung Du Gong Ham Han Hong Hu Huan Huang Hung Jia Jiang Jong Kang Keum Kim Kong
Kwon Lau Lee Leung Li Lim Lin Ling Liu Lu Luo Pak Park Peng Qian Ren Roh Shi Sim Suh Sun Tang Tian Tsai Tsao Wan Wang
Wei Wen Wong Wu Xu Yang Yao Yoo Yoon Yu Zeng Zhang Zhao Zhong Zhou Zhu Sato Tanaka Ito Ono Sugiyama Watanabe Fujimori
Kutaragi Yamada
"""
_GIVEN = """
Anette_Hosoi Guangdong_Ou_Guangyuan Huan_Chung_Yi Jo_Joong-hyon Na_Na_Keum Soon_Yi Sok_An Vicki_Zhao_Wei Atsushi Eriko
Fujio Hatsui Heizo Hichiro Hideki Hiroki Hiroyuki Hisao Hitoshi Junichi Junichiro Junko Keiko Masahiko Masatoshi
Mitoji Miyako Saburo Sachiko Shingo Takahiro Takashi Takenori Takeo Takeshi Taku Takuma Tomomi Yoko Yoshiyuki Yukio
"""
_NOT_EAST_ASIAN = """
Ben_Lee Jimmy_Lee Joy_Lee_Sadler Kim_Basinger Kim_Cattrall Kim_Clijsters Kimora_Lee Lee_Ann_Womack Lee_Baca
Pham_Sy_Chien Spike_Lee
"""
_FIRST_NAMES_OF_WOMEN = """
Alexa Alexandra Alicia Alison Amanda Amy Ana Anastasia Andrea Angela Angelina Anna Ann Anne Annie Barbara Barbra
Benazir Beth Betty Beyonce Britney Brittany Brooke Camryn Carla Carly Carmen Carol Carolina Caroline Carolyn Cassandra
Cate Catherine Cathryn Cathy Catriona Cecilia Charlotte Chelsea Cherie Cheryl Chloe Christina Christine Christy Cindy
Claire Clara Clare Claudia Colleen Condoleezza Connie Cristina Cynthia Daniela Dawn Debbie Debra Demi Denise Diana
Diane Dianne Dinah Donna Dora Doris Dorothy Elaine Elena Eileen Elizabeth Ellen Emily Emma Emmanuelle Erika Erin
Esther Eva Eve Farida Florencia Frances Gabriela Gina Giselle Gisele Gloria Grace Gwyneth Halle Hana Harriet Heather
Heidi Helen Helena Hilary Hilda Hillary Holly Imelda Ines Inga Irina Isabel Iveta Jacqueline Jada Jane Janet Janette
Jayne Jeanne Jeanette Jelena Jen Jenna Jennifer Jenny Jessica Joan Joanne Judy Julia Julianne Julie Juliette Junko
Justine Karen Kareena Kate Katerina Katherine Kathleen Kathryn Kathy Katie Katrin Keira Kelli Kellie Kimberly
Kim_Clijsters Kirsten Kristen Kristin Kristy Laila Lana Lara Laura Lauren Laurie LeAnn Leah Lena Lene Lesley Liliana
Linda Lindsay Lisa Liv Liza Lois Lori Lorraine Louisa Lucia Lucy Ludivine Lynne Madeleine Madonna Magdalena Maggie
Margaret Maria Mariah Mariana Marilyn Marina Marion Marisa Marisol Marlene Marsha Martha Martina Mary Mary-Kate
Maureen Maura Megawati Meghan Melanie Melina Melissa Mercedes Meryl Michele Michelle Mira Miranda Miyako Molly Mona
Monica Monique Nadia Nancy Naomi Natalia Natalie Natalya Natasha Nathalie Nia Nicole Nikki Nora Norah Olivia Oprah
Oxana Pamela Paola Patricia Patti Patty Paula Pauline Peggy Penelope Penny Pilar Priscilla Queen Rachel Raquel Rebekah
Renee Rita Roberta Rosalie Rose Roseanne Rosie Ruth Sachiko Sally Salma Samantha Sandra Sara Sarah Selma Serena
Shannon Sharon Sheila Sherri Sherry Sheryl Silvia Simona Sissy Sofia Sonia Sonja Sophia Sophie Stacy Steffi Stella
Stephanie Sue Susan Suzanne Suzie Tamara Tammy Tanya Tara Tatiana Tatjana Tatyana Teresa Theresa Thalia Tiffany Tina
Tippi Trista Tyra Uma Urmila Valentina Valerie Vanessa Venus Veronica Vicki Victoria Viola Virginia Vivica Wendy
Whoopi Winona Yana Yoko Zara
"""
_NOT_WOMEN = "Andrea_Bocelli Joan_Laporta Marion_Barry Michele_Placido"


def groups_by_name(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """People with East Asian names and with women's names, of people such as Junichiro_Koizumi; one may be in both."""
    given = frozenset(names)
    family, east_asian, others = (frozenset(text.split()) for text in (_FAMILY, _GIVEN, _NOT_EAST_ASIAN))
    first_names, men = frozenset(_FIRST_NAMES_OF_WOMEN.split()), frozenset(_NOT_WOMEN.split())

    def is_east_asian(name: str) -> bool:
        """By a family name, which stands first or last, or by a given name, which stands first."""
        parts = name.split("_")
        return bool({parts[0], parts[-1]} & family or {name, parts[0]} & east_asian)

    return {
        EAST_ASIAN: frozenset(name for name in given - others if is_east_asian(name)),
        WOMEN: frozenset(name for name in given - men if {name, name.split("_")[0]} & first_names),
    }


def read_groups(path: Path) -> dict[str, frozenset[str]]:
    """Groups from a CSV file with the columns person and group; a person may be in several.

    Raises:
        SystemExit: it is missing, or has other columns.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["group"]].add(row["person"])
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        sys.exit(f"{path} was given as --groups ({error!r}); expected a CSV file with the columns person,group")
    return {group: frozenset(people) for group, people in found.items()}
